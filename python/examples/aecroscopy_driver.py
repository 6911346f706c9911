"""A driver over AEcroscopy's Acquisition: band excitation on an Asylum microscope, in reshed's loop.

    from aecroscopy_driver import AEcroscopyDriver

    def connect():
        pythoncom.CoInitialize()
        acquisition = Acquisition(...)
        acquisition.init_BEPyAE(...)
        return acquisition

    reshed.run(AEcroscopyDriver(connect, size=2e-6), "scan.h5", rows=128, cols=128, voltage=8)

Only the calls that AEcroscopy's notebooks document are used: tip_control, define_be_parms, do_line_scan,
define_BEPS_parameters, do_beps_specific, define_apply_pulse. What they say and what a driver has to do
differ as follows:

- Acquisition is a COM object, which belongs to the thread that made it; the loop calls a driver from
  several. So one thread of the driver's makes it and makes every call.
- AEcroscopy's frame is -1 ... 1 on both axes, y up, whatever the size; it is set on the controller, and
  ``size`` tells it. So this driver scans one frame, centred, and refuses another.
- Frequencies go in as kHz, pulse durations as ms; amplitudes are V.
- do_line_scan and do_beps_specific return when all is done: nothing can be stopped in the midst of them,
  and a spectrum that comes back short is lost; another try would pole the place again.
- A key that is not given keeps what stands on the controller's panel. So what would change a waveform is
  given every time: whole cycles, no shift, no pulse before.
- The waveform is a bipolar triangle that begins at zero and rises, and a step lasts as long as the
  excitation. Other waveforms and longer steps are refused.
- There is no call that withdraws the tip or reads the bias back.

The spectra of the instrument are passed on: reshed fits them itself.
"""

import time
from concurrent.futures import ThreadPoolExecutor, wait

import numpy as np

from reshed.driver import BandExcitation, Caps, Frame, Limits, Line, Lost, LostLine, Refused, Spectrum


def triangle(amplitude, offset, steps, cycles):
    """V of each step as define_BEPS_parameters makes them: step i of N at 4i/N quarters."""
    quarter = steps // 4
    ramp = np.arange(quarter) / quarter
    return np.tile(offset + amplitude * np.concatenate([ramp, 1 - ramp, -ramp, ramp - 1]), cycles)


def within(name, value, most, unit):
    if not abs(value) <= most:  # NaN is not
        raise Refused(f"{name}: expected up to {most:g} {unit}, found {value:g}")


class AEcroscopyDriver:
    """connect: a function that makes an initialised Acquisition (or a fake of it). size: m, edge of the
    square frame. limits: what the cantilever and the film allow, V, m/s."""

    def __init__(self, connect, size, bias_max=10.0, drive_max=2.0, speed_max=1e-4, off_field=True):
        self.connect, self.size = connect, float(size)
        half = self.size / 2
        self.limits = Limits(-half, half, -half, half, bias_max, drive_max, speed_max)
        self.off_field = off_field
        self.thread = self.a = None
        self.frame = Frame(0, 0, self.size, self.size, 0, 64, 64, 1.0, False)
        self.band = BandExcitation(300e3, 60e3, 1.0, 1.0, 1, 1e-3)  # until set_be
        self.row = self.end = 0
        self.frames = 0
        self.tip = None  # not known before the first line or move
        self.spectroscopy = None
        self.halted = False

    def call(self, name, **arguments):
        """A call of Acquisition's on the thread that it belongs to."""
        return self.send(name, **arguments).result()

    def send(self, name, **arguments):
        return self.thread.submit(lambda: getattr(self.a, name)(**arguments))

    # ------------------------------------------------------------------------------- what it is

    def open(self, timeout):
        self.thread = ThreadPoolExecutor(1, "AEcroscopy")
        try:
            self.a = self.thread.submit(self.connect).result(timeout)
        except BaseException:
            self.close()
            raise

    def close(self):
        thread, self.thread, self.a = self.thread, None, None
        if thread is not None:
            thread.shutdown(wait=False)

    def caps(self):
        return Caps("AEcroscopy", [], self.limits, band_excitation=True,
                    bins=self.frequency().size, off_field=self.off_field)

    def frequency(self):
        """Hz, of the bins: 1/duration apart over the band."""
        b = self.band
        first = np.ceil((b.centre - b.band / 2) * b.duration)
        last = np.floor((b.centre + b.band / 2) * b.duration)
        return np.arange(first, last + 1) / b.duration

    # ---------------------------------------------------------------------------------- scanning

    def set_frame(self, frame, timeout):
        if (frame.cx, frame.cy, frame.angle) != (0, 0, 0) or \
                abs(frame.width - self.size) > 1e-12 or abs(frame.height - self.size) > 1e-12:
            raise Refused(f"the frame is the controller's: {self.size} m a side, centred, not turned")
        self.frame = frame

    def get_frame(self, timeout):
        return self.frame

    def set_be(self, be, timeout):
        within("amplitude", be.amplitude, self.limits.drive_max, "V")
        self.halted = False
        self.band = be
        self.call("define_be_parms",
                  be_parms_dict={
                      "center_frequency_Hz_00": be.centre / 1e3, "band_width_Hz_01": be.band / 1e3,
                      "amplitude_V_02": be.amplitude, "phase_variation_03": be.phase_variation,
                      "repeats_04": be.repeats, "req_pulse_duration_s_05": be.duration * 1e3},
                  do_create_be_waveform=True)

    def start(self, row, timeout):
        if self.halted:
            raise Refused("halted: set the excitation first")
        self.row, self.end = row, -1 if self.frame.upward else self.frame.rows
        self.frames += 1

    def pause(self, timeout):
        self.end = self.row

    def wait_line(self, timeout):
        if self.row == self.end:
            raise Refused("no scan")
        row = self.row
        self.row += -1 if self.frame.upward else 1
        edge = 1 - 1 / self.frame.cols  # centres of the outermost pixels
        y = 1 - (2 * row + 1) / self.frame.rows
        self.tip = (edge * self.size / 2, y * self.size / 2)
        spectra = self.call("do_line_scan",
                            line_scan_parms_dict={
                                "voltage_offest_V_00": 0.0, "num_BE_pulses_01": self.frame.cols,
                                "start_x_pos_00": -edge, "start_y_pos_01": y, "stop_x_pos_02": edge,
                                "stop_y_pos_03": y},
                            upload_to_daq=True, do_line_scan=True)[0]
        if np.size(spectra) < self.frame.cols * self.frequency().size:
            raise LostLine(row, text="not all readings have come")
        return Line(row, np.zeros((0, self.frame.cols)), spectra=spectra, frequency=self.frequency(),
                    time=time.monotonic(), frame=self.frames)

    # ---------------------------------------------------------------------------- tip, voltages

    def move_tip(self, x, y, speed, timeout):
        if self.halted:
            raise Refused("halted")
        within("x", x, self.size / 2, "m")
        within("y", y, self.size / 2, "m")
        if not 0 < speed <= self.limits.speed_max:
            raise Refused(f"speed: expected up to {self.limits.speed_max:g} m/s, found {speed:g}")
        way = np.hypot(x - self.tip[0], y - self.tip[1]) if self.tip else np.hypot(self.size, self.size)
        self.call("tip_control",
                  tip_parms_dict={"next_x_pos_00": 2 * x / self.size, "next_y_pos_01": 2 * y / self.size,
                                  "transit_time_s_02": max(way / speed, 0.01)}, do_move_tip=True)
        self.tip = (x, y)

    def get_tip(self, timeout):
        return self.tip or (0.0, 0.0)

    def set_drive(self, volts, timeout):
        within("drive", volts, self.limits.drive_max, "V")
        self.send_drive(volts).result()

    def send_drive(self, volts):
        return self.send("define_be_parms", be_parms_dict={"amplitude_V_02": volts},
                         do_create_be_waveform=True)

    def set_bias(self, volts, timeout):
        within("bias", volts, self.limits.bias_max, "V")
        self.send_bias(volts).result()

    def send_bias(self, volts):
        return self.send("define_apply_pulse",
                         pulse_parms_dict={
                             "pulse_init_amplitude_V_00": volts, "pulse_mid_amplitude_V_01": volts,
                             "pulse_final_amplitude_V_02": volts, "pulse_on_duration_s_03": 1e-3},
                         do_create_pulse=True, do_upload_pulse=True, do_apply_pulse=True)

    # -------------------------------------------------------------------------------- spectroscopy

    def set_spectroscopy(self, s, timeout):
        self.spectroscopy = None  # a refused one leaves none
        within("bias", float(np.abs(s.voltage).max()), self.limits.bias_max, "V")
        within("read bias", s.read_bias, self.limits.bias_max, "V")
        if s.on_time or s.ramp_rate:
            raise Refused("pulses of a time of their own and ramps: AEcroscopy has neither")
        longest = self.band.repeats * self.band.duration
        if s.dwell > longest * (1 + 1e-6):
            raise Refused(f"dwell: a step lasts as long as the excitation, {longest:g} s (repeats times "
                          f"duration), found {s.dwell:g}")
        if s.off_field and not self.off_field:
            raise Refused("off-field reading is not available")
        top, low = float(s.voltage.max()), float(s.voltage.min())
        small = 1e-6 * (top - low)
        cycles = max(int(np.sum(s.voltage > top - small)), 1)  # a triangle is at its top once
        steps = s.voltage.size // cycles
        own = triangle((top - low) / 2, (top + low) / 2, max(steps, 4), cycles)
        if own.shape != s.voltage.shape or np.abs(own - s.voltage).max() > small:
            raise Refused("waveform: AEcroscopy makes bipolar triangles of whole cycles that begin in the "
                          "middle and rise, of a multiple of 4 steps")
        self.call("define_BEPS_parameters",
                  beps_parms_dict={
                      "amplitude_V_00": (top - low) / 2, "offset_V_01": (top + low) / 2,
                      "read_voltage_V_02": s.read_bias, "step_per_cycle_03": steps, "num_cycles_04": cycles,
                      "cycle_fraction_05": 0, "cycle_phase_shift_06": 0,
                      "measure_loops_07": 1 if s.off_field else 0, "delay_after_step_s_09": s.settle,
                      "set_pulse_amplitude_V_10": 0},
                  do_create_waveform=True, do_upload_waveform=True)
        self.spectroscopy = s

    def run_spectroscopy(self, timeout):
        s = self.spectroscopy
        if s is None or self.halted:
            raise Refused("no spectroscopy was set")
        if self.tip is None:
            raise Refused("the tip's place is not known: move it first")
        # Coordinates are x first, in the frame's -1 ... 1: convert_coordinates of the notebooks gives y
        # first, which is why it is not used.
        place = np.array([[2 * self.tip[0] / self.size], [2 * self.tip[1] / self.size]])
        got = self.call("do_beps_specific", coordinates=place)
        applied, spectra = np.ravel(got[0]), np.asarray(got[3])
        if applied.shape != s.voltage.shape or not np.allclose(applied, s.voltage, rtol=0.01, atol=0.01):
            raise Lost("AEcroscopy has applied other voltages than it was asked for")
        fields = 2 if s.off_field else 1
        wanted = fields * s.voltage.size * self.frequency().size
        if spectra.size < wanted:
            raise LostLine(text="not all readings have come")
        if spectra.size > wanted:
            raise Lost(f"spectra: expected {wanted} numbers, found {spectra.size}")
        # step by step: on field, then off field
        spectra = spectra.reshape(s.voltage.size, fields, -1).swapaxes(0, 1)
        return Spectrum(*self.tip, spectra=spectra, frequency=self.frequency(), time=time.monotonic())

    def spectroscopy_seconds(self):
        s = self.spectroscopy
        if s is None:
            return 0.0
        step = self.band.repeats * self.band.duration + s.settle
        return s.voltage.size * step * (2 if s.off_field else 1)

    def halt(self, timeout):
        """Sends both before it waits for either: they come after what is being measured."""
        self.halted = True
        self.end = self.row
        if self.thread is None:
            return
        sent = [self.send_bias(0.0), self.send_drive(0.0)]
        if wait(sent, timeout).not_done:
            raise Lost(f"bias and drive to zero: no answer within {timeout:g} s")
        for one in sent:
            one.result()

"""A driver over AEcroscopy's Acquisition: band excitation on an Asylum microscope, in reshed's loop.

    from aecroscopy_driver import AEcroscopyDriver
    reshed.run(AEcroscopyDriver(acquisition, size=2e-6), "scan.h5", rows=128, cols=128, voltage=8)

Only the calls that AEcroscopy's notebooks document are used: tip_control, define_be_parms, do_line_scan,
define_BEPS_parameters, do_beps_specific, define_apply_pulse. What they say and what a driver has to do
differ as follows:

- AEcroscopy's frame is -1 ... 1 on both axes, y up, whatever the size; it is set on the controller, and
  ``size`` tells it. So this driver scans one frame, centred, and refuses another.
- Frequencies go in as kHz, pulse durations as ms; amplitudes are V.
- do_line_scan returns when the line is there: nothing can be stopped in the midst of it.
- There is no call that withdraws the tip or reads the bias back.

The spectra of the instrument are passed on: reshed fits them itself.
"""

import time

import numpy as np

from reshed.driver import BandExcitation, Caps, Frame, Limits, Line, Refused, Retry, Spectrum


class AEcroscopyDriver:
    """acquisition: an initialised Acquisition (or a fake of it). size: m, edge of the square frame.
    limits: what the cantilever and the film allow, V."""

    def __init__(self, acquisition, size, bias_max=10.0, drive_max=2.0, speed_max=1e-4, off_field=True):
        self.a, self.size = acquisition, float(size)
        half = self.size / 2
        self.limits = Limits(-half, half, -half, half, bias_max, drive_max, speed_max)
        self.off_field = off_field
        self.frame = Frame(0, 0, self.size, self.size, 0, 64, 64, 1.0, False)
        self.band = BandExcitation(300e3, 60e3, 1.0, 1.0, 1, 1e-3)  # until set_be
        self.row = self.end = 0
        self.frames = 0
        self.tip = (0.0, 0.0)
        self.spectroscopy = None
        self.halted = False

    # ------------------------------------------------------------------------------- what it is

    def open(self, timeout):
        pass

    def close(self):
        pass

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
        self.halted = False
        self.band = be
        self.a.define_be_parms(
            be_parms_dict={"center_frequency_Hz_00": be.centre / 1e3, "band_width_Hz_01": be.band / 1e3,
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
        spectra = self.a.do_line_scan(
            line_scan_parms_dict={"voltage_offest_V_00": 0.0, "num_BE_pulses_01": self.frame.cols,
                                  "start_x_pos_00": -edge, "start_y_pos_01": y, "stop_x_pos_02": edge,
                                  "stop_y_pos_03": y},
            upload_to_daq=True, do_line_scan=True)[0]
        return Line(row, np.zeros((0, self.frame.cols)), spectra=spectra, frequency=self.frequency(),
                    time=time.monotonic(), frame=self.frames)

    # ---------------------------------------------------------------------------- tip, voltages

    def move_tip(self, x, y, speed, timeout):
        if self.halted:
            raise Refused("halted")
        way = np.hypot(x - self.tip[0], y - self.tip[1])
        self.a.tip_control(
            tip_parms_dict={"next_x_pos_00": 2 * x / self.size, "next_y_pos_01": 2 * y / self.size,
                            "transit_time_s_02": max(way / speed, 0.01)}, do_move_tip=True)
        self.tip = (x, y)

    def get_tip(self, timeout):
        return self.tip

    def set_drive(self, volts, timeout):
        self.a.define_be_parms(be_parms_dict={"amplitude_V_02": volts}, do_create_be_waveform=True)

    def set_bias(self, volts, timeout):
        self.a.define_apply_pulse(
            pulse_parms_dict={"pulse_init_amplitude_V_00": volts, "pulse_mid_amplitude_V_01": volts,
                              "pulse_final_amplitude_V_02": volts, "pulse_on_duration_s_03": 1e-3},
            do_create_pulse=True, do_upload_pulse=True, do_apply_pulse=True)

    # -------------------------------------------------------------------------------- spectroscopy

    def set_spectroscopy(self, s, timeout):
        top, low = float(s.voltage.max()), float(s.voltage.min())
        steps = s.voltage.size
        cycles = max(1, int(np.sum((s.voltage[:-1] < top) & (s.voltage[1:] == top))))
        if steps % cycles:
            raise Refused("waveform: AEcroscopy makes bipolar triangles of whole cycles only")
        self.a.define_BEPS_parameters(
            beps_parms_dict={"amplitude_V_00": (top - low) / 2, "offset_V_01": (top + low) / 2,
                             "read_voltage_V_02": s.read_bias, "step_per_cycle_03": steps // cycles,
                             "num_cycles_04": cycles, "measure_loops_07": 1 if s.off_field else 0,
                             "delay_after_step_s_09": s.settle},
            do_create_waveform=True, do_upload_waveform=True)
        self.spectroscopy = s

    def run_spectroscopy(self, timeout):
        s = self.spectroscopy
        if s is None or self.halted:
            raise Refused("no spectroscopy was set")
        # Coordinates are x first, in the frame's -1 ... 1: convert_coordinates of the notebooks gives y
        # first, which is why it is not used.
        place = np.array([[2 * self.tip[0] / self.size], [2 * self.tip[1] / self.size]])
        spectra = np.asarray(self.a.do_beps_specific(coordinates=place)[3])
        fields = 2 if s.off_field else 1
        if spectra.size != fields * s.voltage.size * self.frequency().size:
            raise Retry("not all readings have come")
        # step by step: on field, then off field
        spectra = spectra.reshape(s.voltage.size, fields, -1).swapaxes(0, 1)
        return Spectrum(*self.tip, spectra=spectra, frequency=self.frequency(), time=time.monotonic())

    def spectroscopy_seconds(self):
        s = self.spectroscopy
        return 0.0 if s is None else s.voltage.size * (s.dwell + s.settle) * (2 if s.off_field else 1)

    def halt(self, timeout):
        self.halted = True
        self.end = self.row
        try:
            self.set_bias(0.0, timeout)
        finally:  # the other one all the same
            self.set_drive(0.0, timeout)

"""A fake of AEcroscopy's Acquisition, by its documented calls: a film of stripes, an oscillator, and
hysteresis. It refuses what the real one would misread."""

import threading

import numpy as np

BE = {"center_frequency_Hz_00", "band_width_Hz_01", "amplitude_V_02", "phase_variation_03", "repeats_04",
      "req_pulse_duration_s_05"}


class Acquisition:
    """missing: readings that do_beps_specific loses; bend: V by which it misses what was asked for."""

    def __init__(self, missing=0, bend=0.0):
        self.missing, self.bend = missing, bend
        self.loops = 0
        self.owner = threading.get_ident()
        self.be = {}
        self.beps = {}
        self.bias = 0.0
        self.place = (0.0, 0.0)
        self.moves = []
        self.lines = 0

    def _enter(self):
        assert threading.get_ident() == self.owner, "a COM object is called by the thread that made it"

    def define_be_parms(self, be_parms_dict, do_create_be_waveform=False):
        self._enter()
        assert set(be_parms_dict) <= BE
        self.be.update(be_parms_dict)
        assert 1 < self.be.get("center_frequency_Hz_00", 300) < 1e4, "kHz"

    def _bins(self):
        duration = self.be["req_pulse_duration_s_05"] * 1e-3
        centre, band = self.be["center_frequency_Hz_00"] * 1e3, self.be["band_width_Hz_01"] * 1e3
        first, last = np.ceil((centre - band / 2) * duration), np.floor((centre + band / 2) * duration)
        return np.arange(first, last + 1) / duration

    def _spectrum(self, amplitude, phase):
        f = self._bins()
        f0 = self.be["center_frequency_Hz_00"] * 1e3
        shape = f0**2 / (f**2 - 1j * f * f0 / 100 - f0**2)
        return (np.asarray(amplitude) * np.exp(1j * np.asarray(phase)))[..., np.newaxis] * shape

    def do_line_scan(self, line_scan_parms_dict, upload_to_daq=False, do_line_scan=False):
        self._enter()
        p = line_scan_parms_dict
        assert -1 <= p["start_x_pos_00"] < p["stop_x_pos_02"] <= 1 and abs(p["start_y_pos_01"]) <= 1
        self.lines += 1
        x = np.linspace(p["start_x_pos_00"], p["stop_x_pos_02"], p["num_BE_pulses_01"])
        dark = np.sin(12 * (x + 0.5 * p["start_y_pos_01"])) > 0.3
        return self._spectrum(np.where(dark, 2e-4, 1e-3), np.where(dark, 0, 1)), None, None, None, None

    def tip_control(self, tip_parms_dict, do_move_tip=False, do_set_setpoint=False, feedbackon=False):
        self._enter()
        self.place = (tip_parms_dict["next_x_pos_00"], tip_parms_dict["next_y_pos_01"])
        assert max(map(abs, self.place)) <= 1 and tip_parms_dict["transit_time_s_02"] > 0
        self.moves.append(self.place)

    def define_apply_pulse(self, pulse_parms_dict, do_create_pulse=False, do_upload_pulse=False,
                           do_apply_pulse=False):
        self._enter()
        self.bias = pulse_parms_dict["pulse_final_amplitude_V_02"]

    def define_BEPS_parameters(self, beps_parms_dict, do_create_waveform=False,
                               do_upload_waveform=False, do_VS_waveform=False):
        self._enter()
        # What is not given stays as somebody has left it on the panel.
        assert {"cycle_fraction_05", "cycle_phase_shift_06", "set_pulse_amplitude_V_10"} <= set(beps_parms_dict)
        self.beps.update(beps_parms_dict)

    def do_beps_specific(self, coordinates):
        self._enter()
        self.loops += 1
        assert np.allclose(coordinates[:, 0], self.place), "x first"
        b = self.beps
        n = b["step_per_cycle_03"]
        q = np.arange(n // 4) / (n // 4)
        up = np.concatenate([q, 1 - q, -q, q - 1])  # half-open ramps
        v = np.tile(b["offset_V_01"] + b["amplitude_V_00"] * up, b["num_cycles_04"])
        state, out = -1.0, []
        for volts in v:
            state = 1.0 if volts > 3 else -1.0 if volts < -2 else state
            out.append(state)
        phase = np.where(np.array(out) > 0, 0.0, np.pi)
        one = self._spectrum(np.full(v.size, 1e-3), phase)
        both = np.repeat(one[:, np.newaxis], 2 if b["measure_loops_07"] else 1, axis=1)
        both = both.reshape(-1, one.shape[-1])
        return v + self.bend, None, None, both[:len(both) - self.missing]

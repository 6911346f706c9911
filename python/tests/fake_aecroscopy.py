"""A fake of AEcroscopy's Acquisition, by its documented calls: a film of stripes, an oscillator, and
hysteresis. It refuses what the real one would misread."""

import numpy as np

BE = {"center_frequency_Hz_00", "band_width_Hz_01", "amplitude_V_02", "phase_variation_03", "repeats_04",
      "req_pulse_duration_s_05"}


class Acquisition:
    def __init__(self):
        self.be = {}
        self.beps = {}
        self.bias = 0.0
        self.place = (0.0, 0.0)
        self.moves = []
        self.lines = 0

    def define_be_parms(self, be_parms_dict, do_create_be_waveform=False):
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
        p = line_scan_parms_dict
        assert -1 <= p["start_x_pos_00"] < p["stop_x_pos_02"] <= 1 and abs(p["start_y_pos_01"]) <= 1
        self.lines += 1
        x = np.linspace(p["start_x_pos_00"], p["stop_x_pos_02"], p["num_BE_pulses_01"])
        dark = np.sin(12 * (x + 0.5 * p["start_y_pos_01"])) > 0.3
        return self._spectrum(np.where(dark, 2e-4, 1e-3), np.where(dark, 0, 1)), None, None, None, None

    def tip_control(self, tip_parms_dict, do_move_tip=False, do_set_setpoint=False, feedbackon=False):
        self.place = (tip_parms_dict["next_x_pos_00"], tip_parms_dict["next_y_pos_01"])
        assert max(map(abs, self.place)) <= 1 and tip_parms_dict["transit_time_s_02"] > 0
        self.moves.append(self.place)

    def define_apply_pulse(self, pulse_parms_dict, do_create_pulse=False, do_upload_pulse=False,
                           do_apply_pulse=False):
        self.bias = pulse_parms_dict["pulse_final_amplitude_V_02"]

    def define_BEPS_parameters(self, beps_parms_dict, do_create_waveform=False,
                               do_upload_waveform=False, do_VS_waveform=False):
        self.beps.update(beps_parms_dict)

    def do_beps_specific(self, coordinates):
        assert np.allclose(coordinates[:, 0], self.place), "x first"
        b = self.beps
        n = b["step_per_cycle_03"]
        quarter = np.arange(1, n // 4 + 1) / (n // 4)
        up = np.concatenate([quarter, quarter[-2::-1], [0], -quarter, -quarter[-2::-1], [0]])[:n]
        v = np.tile(b["offset_V_01"] + b["amplitude_V_00"] * up, b["num_cycles_04"])
        state, out = -1.0, []
        for volts in v:
            state = 1.0 if volts > 3 else -1.0 if volts < -2 else state
            out.append(state)
        phase = np.where(np.array(out) > 0, 0.0, np.pi)
        one = self._spectrum(np.full(v.size, 1e-3), phase)
        both = np.repeat(one[:, np.newaxis], 2 if b["measure_loops_07"] else 1, axis=1)
        return v, None, None, both.reshape(-1, one.shape[-1])

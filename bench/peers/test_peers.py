"""The parts that compute: what is read from /proc, the interpolation, medians and the table.

run: cd bench && python3 -m unittest peers.test_peers
"""

import types
import unittest

import durable
from peers import load, process_tree, table
from peers.rows import ROWS, Row
from peers.sampler import at


class ProcessTree(unittest.TestCase):
    def test_a_name_with_spaces_and_parentheses_does_not_shift_the_fields_of_stat(self):
        text = "42 (a ) b (c) S 7 1 1 0 -1 4194304 1 2 3 4 100 50 30 20 20 0 1 0 99"
        self.assertEqual(
            process_tree.parse_stat(text),
            (7, 150 * process_tree.TICK_NS, 50 * process_tree.TICK_NS),
        )

    def test_writes_that_were_cancelled_do_not_count(self):
        text = "syscw: 4\nread_bytes: 5\nwrite_bytes: 8192\ncancelled_write_bytes: 4096\n"
        self.assertEqual(process_tree.parse_io(text), 4096)

    def test_pss_is_the_sum_and_not_one_of_its_parts(self):
        text = "00400000-7fff ---p 00000000 00:00 0 [rollup]\nPss: 12 kB\nPss_Anon: 5 kB\n"
        self.assertEqual(process_tree.parse_pss(text), 12 * 1024)
        self.assertEqual(process_tree.parse_pss(""), 0)

    def test_sectors_of_a_disk_have_512_bytes(self):
        self.assertEqual(process_tree.parse_disk("  10 20 30 40 50 60 70 80 0 0 0\n"), 70 * 512)


class Samples(unittest.TestCase):
    def test_a_moment_between_two_looks_lies_on_the_line_between_them(self):
        samples = [(10.0, 100, 0, 0), (12.0, 300, 40, 0), (14.0, 300, 40, 8)]
        self.assertEqual(at(samples, 11.0, "cpu_ns"), 200)
        self.assertEqual(at(samples, 13.0, "written_bytes"), 40)
        self.assertEqual(at(samples, 13.0, "disk_bytes"), 4)

    def test_a_moment_outside_has_the_nearest_value(self):
        samples = [(10.0, 100, 0, 0), (12.0, 300, 0, 0)]
        self.assertEqual(at(samples, 9.0, "cpu_ns"), 100)
        self.assertEqual(at(samples, 20.0, "cpu_ns"), 300)


class Figures(unittest.TestCase):
    def report(self, rate):
        latency = {"p50_ms": 1, "p99_ms": 2, "p99_9_ms": 3}
        return {
            "window_s": 2,
            "own_cpu_us_per_operation": 7,
            "faults": [],
            "total": {
                "rate_per_s": rate,
                "count": 210,
                "errors": 0,
                "received_bytes": 2100,
                "response": latency,
            },
        }

    def test_what_the_server_used_is_told_per_operation_of_the_window(self):
        used = {"cpu_ns": 4_000_000, "written_bytes": 800, "disk_bytes": 1600}
        result = load.figures(self.report(100), used)
        self.assertEqual(
            (result["cpu_us"], result["written_bytes"], result["disk_bytes"]), (20, 4, 8)
        )
        self.assertEqual(result["p99_9_ms"], 3)

    def test_a_run_without_a_good_operation_has_failed(self):
        with self.assertRaises(load.Failed):
            load.figures(self.report(0), {"cpu_ns": 1, "written_bytes": 0, "disk_bytes": 0})


class Table(unittest.TestCase):
    def test_rounds_become_a_median_and_errors_a_sum(self):
        rounds = [{"cpu_us": cpu, "errors": 1} for cpu in (30, 10, 20)]
        fields = table.median(rounds)
        self.assertEqual((fields["cpu_us"], fields["errors"], fields["cpu_spread"]), (20, 3, 50))

    def test_an_even_number_of_rounds_with_words_among_the_numbers_has_a_median(self):
        rounds = [{"cpu_us": cpu, "fault": fault} for cpu, fault in ((10, "a"), (30, "b"))]
        fields = table.median(rounds)
        self.assertEqual((fields["cpu_us"], fields["fault"]), (20, None))

    def test_the_ratio_is_to_the_cheapest_peer_and_never_to_the_echo_server(self):
        cells = {
            "corepost": {"cpu_us": 10},
            "dovecot-mdbox": {"cpu_us": 50},
            "cyrus": {"cpu_us": 90},
            "echo": {"cpu_us": 2},
        }
        self.assertEqual(table.ratio("corepost", cells), "5.0x")
        self.assertEqual(table.ratio("cyrus", cells), "")
        self.assertEqual(table.ratio("corepost", {"corepost": {"cpu_us": 10}}), "")

    def test_every_line_of_the_table_has_the_same_length(self):
        results = {
            "FETCH": {
                "corepost": [{"rate_per_s": 52248.0, "cpu_us": 22.4}],
                "cyrus": [{"rate_per_s": 9.0}],
            }
        }
        lines = table.table(results)
        self.assertEqual(len(lines), 4)
        self.assertEqual(len({len(line) for line in lines}), 1)
        self.assertIn("| 52248 |", lines[2])


class Rows(unittest.TestCase):
    def test_rows_share_no_users(self):
        users = [user for row in ROWS for user in row.all_users(3)]
        self.assertEqual(len(users), len(set(users)))

    def test_rows_that_add_mail_have_new_users_in_each_round(self):
        row = Row("x", "", "", 2, 2, grows=True)
        self.assertEqual((row.first_user(0), row.first_user(1)), (1, 3))
        self.assertEqual(len(row.all_users(3)), 6)

    def test_the_command_names_everything_that_is_needed_to_repeat_it(self):
        options = types.SimpleNamespace(loadgen="/x/loadgen", scaled=lambda count: count, seconds=5)
        words = load.command(options, ROWS[0], None, 0)
        self.assertEqual(words[0], "loadgen")
        self.assertIn("--duration-s=5", words)


class Durable(unittest.TestCase):
    def test_shares_are_whole_per_cents_of_a_hundred(self):
        for lengths in ({1: 1}, {1: 500, 2: 300, 9: 1, 40: 199}, {n: 1 for n in range(1, 300)}):
            groups = durable.shares(lengths)
            self.assertEqual(sum(share for _, share in groups), 100, lengths)
            self.assertTrue(all(share > 0 for _, share in groups), lengths)


if __name__ == "__main__":
    unittest.main()

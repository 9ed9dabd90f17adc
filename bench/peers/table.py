"""Medians of the rounds, and the table of them: Markdown that can be read as it is."""

import statistics

# Field of a result, heading, digits behind the point.
COLUMNS = (
    ("rate_per_s", "per s", 0),
    ("p50_ms", "p50 ms", 2),
    ("p99_ms", "p99 ms", 2),
    ("p99_9_ms", "p99.9 ms", 2),
    ("cpu_us", "CPU us", 1),
    ("cpu_spread", "+-%", 0),
    ("written_bytes", "written B", 0),
    ("disk_bytes", "disk B", 0),
    ("received_bytes", "answer B", 0),
    ("own_cpu_us", "client us", 1),
    ("errors", "errors", 0),
)


def median(results):
    """Of each field that is a number, the median; of the CPU per operation also how far the rounds
    lie apart, in per cent."""
    fields = {}
    for field in {name for result in results for name in result}:
        values = [result[field] for result in results if isinstance(result.get(field), (int, float))]
        fields[field] = statistics.median(values) if values else None
    fields["errors"] = sum(result.get("errors", 0) for result in results)
    costs = [result["cpu_us"] for result in results if result.get("cpu_us")]
    if len(costs) > 1:
        fields["cpu_spread"] = (max(costs) - min(costs)) / 2 / statistics.median(costs) * 100
    return fields


def number(value, digits):
    return "" if value is None else f"{value:.{digits}f}"


def ratio(name, cells):
    """How many times Corepost's CPU the cheapest peer needs; the echo server is no peer."""
    peers = [
        fields["cpu_us"]
        for peer, fields in cells.items()
        if peer not in ("corepost", "echo") and fields.get("cpu_us")
    ]
    own = cells.get("corepost", {}).get("cpu_us")
    return f"{min(peers) / own:.1f}x" if name == "corepost" and peers and own else ""


def lines(header, rows):
    """Aligned Markdown: texts to the left, figures to the right."""
    widths = [max(len(cell) for cell in column) for column in zip(header, *rows)]
    out = []
    for row in [header, ["-" * width for width in widths]] + rows:
        cells = [
            cell.ljust(width) if n < 2 else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(row, widths))
        ]
        out.append("| " + " | ".join(cells) + " |")
    return out


def table(results):
    """`results`: title of the row -> server -> results of its rounds."""
    header = (
        ["operation", "server"] + [heading for _, heading, _ in COLUMNS] + ["best peer / corepost"]
    )
    rows = []
    for title, servers in results.items():
        cells = {name: median(rounds) for name, rounds in servers.items() if rounds}
        for name, fields in cells.items():
            figures = [number(fields.get(field), digits) for field, _, digits in COLUMNS]
            rows.append([title, name] + figures + [ratio(name, cells)])
    return lines(header, rows)


def idle_table(results):
    """`results`: server -> (KiB plaintext, KiB TLS) of each round."""
    rows = []
    for name, rounds in results.items():
        columns = [statistics.median(column) for column in zip(*rounds)]
        rows.append(["idle session, PSS", name] + [f"{value:.1f}" for value in columns])
    return lines(["", "server", "KiB plaintext", "KiB TLS"], rows)

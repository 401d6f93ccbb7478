#!/usr/bin/python3
"""./dev damage: many damaged files of each kind through a speaker's decoder; a line each of what came of them."""
import argparse
import collections
import json
import sys
import tempfile

from tuttitest import damage


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--at-once", type=int, default=2)
    parser.add_argument("kinds", nargs="*")
    options = parser.parse_args()
    bad = 0
    for kind in options.kinds or damage.KINDS:
        lines, longest, louder, peak, count, played = collections.Counter(), 0, [], 0, 0, 0
        with tempfile.TemporaryDirectory() as folder:
            for seed, came in damage.run(folder, kind, options.files, options.seed, options.at_once):
                wrong = damage.wrong(came)
                if wrong:
                    bad += 1
                    print(f"{kind}, seed {seed}: {wrong}", flush=True)
                count += 1
                played += not came["failed"]
                lines[came["line"].strip()] += came["failed"]
                longest, peak = max(longest, came["seconds"]), max(peak, came["peak"])
                louder.append((round(came["louder_db"], 1), seed))
        louder.sort()
        print(f"{kind}: {count} files, {played} played to their end; longest {longest:.2f} s; peak {peak:.2f}; "
              f"loudest 400 ms over the music's: most {louder[-1][0]} dB (seed {louder[-1][1]}), "
              f"{sum(db > 6 for db, _ in louder)} of more than 6 dB", flush=True)
        print(json.dumps({line: number for line, number in lines.most_common() if number}, indent=1), flush=True)
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())

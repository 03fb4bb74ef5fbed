"""Photos by img2dataset, its own command's work; what its worker takes is measured inside it.

Usage: img2dataset_fetch.py LIST FOLDER THREADS CHECKS, where LIST is a CSV table of url and md5,
and CHECKS is none (bytes are kept unseen) or md5-and-decode.
"""

import glob
import importlib
import importlib.metadata
import json
import resource
import sys
import time

# The package hides this module behind a function of the same name.
img2dataset_main = importlib.import_module("img2dataset.main")


class MeasuredDownloader(img2dataset_main.Downloader):
    """Leaves beside each shard what it took, without the start of its process."""

    def download_shard(self, row):
        start, before = time.perf_counter(), cpu_seconds()
        super().download_shard(row)
        took = {"seconds": time.perf_counter() - start, "cpuSeconds": cpu_seconds() - before}
        with open(f"{self.output_folder}/{row[0]}.took", "w", encoding="utf-8") as file:
            json.dump(took, file)


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def read_all(pattern):
    for path in glob.glob(pattern):
        with open(path, encoding="utf-8") as file:
            yield json.load(file)


def main(url_list, folder, threads, checks):
    img2dataset_main.Downloader = MeasuredDownloader
    checked = {"resize_mode": "no", "skip_reencode": True, "compute_hash": "md5"}
    unseen = {"disable_all_reencoding": True, "compute_hash": None}
    img2dataset_main.download(
        url_list=url_list,
        input_format="csv",
        output_folder=folder,
        output_format="files",
        processes_count=1,
        thread_count=int(threads),
        timeout=30,
        retries=5,
        extract_exif=False,
        **({**checked, "verify_hash": ["md5", "md5"]} if checks == "md5-and-decode" else unseen),
    )
    (stats,) = read_all(f"{folder}/*_stats.json")
    (took,) = read_all(f"{folder}/*.took")
    version = importlib.metadata.version("img2dataset")
    print(json.dumps({"version": version, "kept": stats["successes"], "fetching": took}))


if __name__ == "__main__":
    main(*sys.argv[1:])

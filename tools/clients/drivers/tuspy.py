"""Uploads one file with tuspy: tuspy.py CASE ENDPOINT PATH. Prints the upload's URL."""

import os
import sys

from tusclient import client

MIB = 1024 * 1024
RETRIES = {"retries": 40, "retry_delay": 0.5}


def main(way: str, endpoint: str, path: str) -> str:
    tus = client.TusClient(endpoint)
    metadata = {"filename": "lesson.mp4"}
    if way == "resume":
        first = tus.uploader(path, chunk_size=MIB, metadata=metadata, **RETRIES)
        first.upload(stop_at=os.path.getsize(path) // 3)
        second = tus.uploader(path, url=first.url, chunk_size=MIB, **RETRIES)
        second.upload()
        return second.url
    options = {
        "whole": {"chunk_size": os.path.getsize(path)},
        "chunks": {"chunk_size": MIB, "metadata": metadata},
        "checksum": {"chunk_size": MIB, "metadata": metadata, "upload_checksum": True},
    }[way]
    uploader = tus.uploader(path, **options, **RETRIES)
    uploader.upload()
    return uploader.url


print(main(*sys.argv[1:]))

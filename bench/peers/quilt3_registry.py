"""A folder into a registry, or a package out of one, by quilt3's own functions.

Usage: quilt3_registry.py push|install NAME REGISTRY FOLDER. A push is forced, since quilt3 otherwise
refuses to follow a revision that was not opened first; all else is quilt3's default.
"""

import json
import sys

import quilt3


def main(action, name, registry, folder):
    if action == "push":
        quilt3.Package().set_dir("/", folder).push(name, registry, force=True)
    else:
        quilt3.Package.install(name, registry, dest=folder)
    print(json.dumps({"version": quilt3.__version__}))


if __name__ == "__main__":
    main(*sys.argv[1:])

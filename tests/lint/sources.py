"""The files that the lints look at: what git tracks, and what is new and not ignored."""
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def tracked(*endings):
    """Paths relative to the root, sorted. Without git (a source archive): everything but build/."""
    listed = subprocess.run(["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z", "--cached", "--others",
                             "--exclude-standard"],
                            cwd=ROOT, check=False, capture_output=True, text=True)
    if listed.returncode == 0:
        names = listed.stdout.split("\0")
    else:
        names = (p.relative_to(ROOT).as_posix() for p in ROOT.rglob("*"))
    return sorted(name for name in names
                  if name.endswith(endings) and not name.startswith("build/") and (ROOT / name).is_file())

"""`python -m tensorkit` is the command `tensorkit`."""

from tensorkit.cli import main

if __name__ == "__main__":
    raise SystemExit(main())

"""Lets ``python -m foedus`` do what ``foedus`` does."""

from foedus.cli import main

if __name__ == "__main__":
    main()

"""`python -m handwriter`."""

from handwriter.cli import main

if __name__ == "__main__":
    main()

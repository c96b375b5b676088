"""The errors that a user can cause and cure.

Each message is one line that says what is wrong, where, and how to mend it.  The command line
prints it and exits with status 2; a Python caller catches `HandwriterError`.
"""


class HandwriterError(Exception):
    """Any error that the user of handwriter can cure; the base of all others here."""


class BadData(HandwriterError):
    """Ink, a collection, a lines file or a recipe that cannot be used as it is."""


class BadHand(HandwriterError):
    """A hand file that is missing, damaged, or something else."""


class BadReader(HandwriterError):
    """A reader's file that is missing, damaged, or something else."""


class UnsupportedText(HandwriterError):
    """Text that this hand cannot write: empty, or with a character that it does not know."""


class Illegible(HandwriterError):
    """A line that could not be written so that it can be read, where that was asked for."""


class BadOption(HandwriterError):
    """An option outside its range: smoothness, seed, number of samples, suffix and the like."""


class TrainingFailed(HandwriterError):
    """A training run that cannot begin, go on, or keep its checkpoint."""

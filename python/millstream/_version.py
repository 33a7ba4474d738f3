"""The versions this package answers with."""

#: The release of Millstream.
__version__ = "0.1.0"

#: The PySpark release whose API and messages Millstream follows.
PYSPARK_API = "4.3.0"

"""A Kinesis of its own for a test: ``millstream local`` in a child process, with faults on demand.

::

    from millstream.testing import local_kinesis

    with local_kinesis(streams={"orders": 2}) as kinesis:
        client = boto3.client("kinesis", **kinesis.client_settings)
        kinesis.faults.throttle(operation="PutRecords", times=1)

The pytest fixture of the same name is in :mod:`millstream.testing.plugin`.
"""

from millstream.testing.faults import Fault, Faults, FaultsError
from millstream.testing.local import LocalKinesis, LocalKinesisError, local_kinesis

__all__ = ["Fault", "Faults", "FaultsError", "LocalKinesis", "LocalKinesisError", "local_kinesis"]

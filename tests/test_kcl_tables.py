"""What the Kinesis Client Library does to its tables, by boto3: KCL 1.x and 2.x with conditions from before
expressions, KCL 3.x with expressions, an index and transactions."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from conftest import Service

LEASE_KEY = {"AttributeName": "leaseKey", "KeyType": "HASH"}
KEY = {"leaseKey": {"S": "shardId-000000000000"}}
INDEX = "LeaseOwnerToLeaseKeyIndex"


@pytest.fixture
def dynamodb(service: Service) -> Any:
    return service.client("dynamodb")


def create(dynamodb: Any, **more: Any) -> str:
    """A lease table; waits for it as KCL does."""
    table = f"leases-{uuid.uuid4().hex[:8]}"
    settings = {"BillingMode": "PAY_PER_REQUEST", **more}
    dynamodb.create_table(
        TableName=table,
        AttributeDefinitions=[{"AttributeName": "leaseKey", "AttributeType": "S"}],
        KeySchema=[LEASE_KEY],
        **settings,
    )
    dynamodb.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 1})
    return table


@pytest.fixture
def table(dynamodb: Any) -> str:
    return create(dynamodb)


def refused(call: Any, **arguments: Any) -> dict[str, Any]:
    """The answer of a write whose condition does not hold."""
    with pytest.raises(ClientError) as error:
        call(**arguments)
    assert error.value.response["Error"]["Code"] == "ConditionalCheckFailedException"
    return dict(error.value.response)


def test_a_provisioned_table_with_tags_and_deletion_protection(dynamodb: Any) -> None:
    table = create(
        dynamodb,
        BillingMode="PROVISIONED",
        ProvisionedThroughput={"ReadCapacityUnits": 10, "WriteCapacityUnits": 10},
        Tags=[{"Key": "app", "Value": "mine"}],
        DeletionProtectionEnabled=True,
    )
    described = dynamodb.describe_table(TableName=table)["Table"]
    assert described["TableStatus"] == "ACTIVE"
    assert described["DeletionProtectionEnabled"] is True
    assert described["ProvisionedThroughput"]["WriteCapacityUnits"] == 10
    tags = dynamodb.list_tags_of_resource(ResourceArn=described["TableArn"])["Tags"]
    assert tags == [{"Key": "app", "Value": "mine"}]
    with pytest.raises(ClientError, match="protected against deletion"):
        dynamodb.delete_table(TableName=table)
    dynamodb.update_table(TableName=table, DeletionProtectionEnabled=False)
    dynamodb.delete_table(TableName=table)
    with pytest.raises(dynamodb.exceptions.ResourceNotFoundException):
        dynamodb.describe_table(TableName=table)


def test_point_in_time_recovery(dynamodb: Any, table: str) -> None:
    update = dynamodb.update_continuous_backups(
        TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    described = dynamodb.describe_continuous_backups(TableName=table)
    assert described["ContinuousBackupsDescription"] == update["ContinuousBackupsDescription"]
    recovery = described["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    assert recovery["PointInTimeRecoveryStatus"] == "ENABLED"
    assert recovery["EarliestRestorableDateTime"] <= recovery["LatestRestorableDateTime"]


def test_leases_with_the_conditions_of_kcl_1_and_2(dynamodb: Any, table: str) -> None:
    lease = {
        **KEY,
        "leaseCounter": {"N": "0"},
        "checkpoint": {"S": "TRIM_HORIZON"},
        "checkpointSubSequenceNumber": {"N": "0"},
        "ownerSwitchesSinceCheckpoint": {"N": "0"},
        "parentShardId": {"SS": ["shardId-000000000001", "shardId-000000000002"]},
        "pendingCheckpointState": {"B": b"\x00\xff"},
    }
    absent = {"leaseKey": {"Exists": False}}
    dynamodb.put_item(TableName=table, Item=lease, Expected=absent)
    refused(dynamodb.put_item, TableName=table, Item=lease, Expected=absent)

    take = {
        "leaseCounter": {"Action": "PUT", "Value": {"N": "1"}},
        "leaseOwner": {"Action": "PUT", "Value": {"S": "me"}},
        "checkpointOwner": {"Action": "DELETE"},
        "ownerSwitchesSinceCheckpoint": {"Action": "ADD", "Value": {"N": "1"}},
    }
    taken = dynamodb.update_item(
        TableName=table,
        Key=KEY,
        AttributeUpdates=take,
        Expected={"leaseCounter": {"Value": {"N": "0"}}, "checkpointOwner": {"Exists": False}},
        ReturnValues="ALL_NEW",
    )["Attributes"]
    assert taken == {**lease, **taken} | {"leaseCounter": {"N": "1"}, "leaseOwner": {"S": "me"}}
    assert taken["ownerSwitchesSinceCheckpoint"] == {"N": "1"}
    assert sorted(taken["parentShardId"]["SS"]) == ["shardId-000000000001", "shardId-000000000002"]
    assert taken["pendingCheckpointState"] == {"B": b"\x00\xff"}

    old = refused(
        dynamodb.update_item,
        TableName=table,
        Key=KEY,
        AttributeUpdates={"leaseCounter": {"Action": "PUT", "Value": {"N": "2"}}},
        Expected={"leaseCounter": {"Value": {"N": "0"}}},
        ReturnValuesOnConditionCheckFailure="ALL_OLD",
    )
    assert old["Item"] == taken
    # The other forms of `Expected`: an operator, and the attributes combined by OR.
    dynamodb.update_item(
        TableName=table,
        Key=KEY,
        AttributeUpdates={"leaseOwner": {"Action": "DELETE"}},
        Expected={
            "leaseOwner": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "me"}]},
            "nothing": {"ComparisonOperator": "NOT_NULL"},
        },
        ConditionalOperator="OR",
    )
    refused(dynamodb.delete_item, TableName=table, Key=KEY, Expected={"leaseOwner": {"Value": {"S": "me"}}})
    dynamodb.delete_item(TableName=table, Key=KEY, Expected={"leaseCounter": {"Value": {"N": "1"}}})
    assert "Item" not in dynamodb.get_item(TableName=table, Key=KEY, ConsistentRead=True)


def test_leases_with_expressions(dynamodb: Any, table: str) -> None:
    dynamodb.put_item(
        TableName=table,
        Item={**KEY, "leaseCounter": {"N": "7"}, "leaseOwner": {"S": "old"}, "throughputKBps": {"N": "4.6E-5"}},
        ConditionExpression="attribute_not_exists(leaseKey)",
    )
    # A graceful handoff does not touch the counter.
    dynamodb.update_item(
        TableName=table,
        Key=KEY,
        UpdateExpression="SET leaseOwner = :new, checkpointOwner = :old",
        ConditionExpression="leaseOwner = :old AND attribute_not_exists(checkpointOwner)",
        ExpressionAttributeValues={":new": {"S": "new"}, ":old": {"S": "old"}},
    )
    renew = {
        "TableName": table,
        "Key": KEY,
        "UpdateExpression": "SET leaseCounter = leaseCounter + :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}, ":seen": {"N": "7"}},
    }
    old = refused(
        dynamodb.update_item,
        **renew,
        ConditionExpression="leaseCounter = :seen AND attribute_not_exists(checkpointOwner)",
        ReturnValuesOnConditionCheckFailure="ALL_OLD",
    )
    assert old["Item"]["checkpointOwner"] == {"S": "old"}
    assert old["Item"]["throughputKBps"] == {"N": "0.000046"}
    new = dynamodb.update_item(**renew, ConditionExpression="leaseCounter = :seen", ReturnValues="ALL_NEW")
    assert new["Attributes"]["leaseCounter"] == {"N": "8"}
    done = dynamodb.update_item(
        TableName=table,
        Key=KEY,
        UpdateExpression="SET #o = :new REMOVE checkpointOwner ADD leaseCounter :one",
        ConditionExpression="#o = :new AND checkpointOwner = :old",
        ExpressionAttributeNames={"#o": "leaseOwner"},
        ExpressionAttributeValues={":new": {"S": "new"}, ":old": {"S": "old"}, ":one": {"N": "1"}},
        ReturnValues="ALL_NEW",
    )["Attributes"]
    assert "checkpointOwner" not in done
    assert done["leaseCounter"] == {"N": "9"}


def test_the_owner_index_is_created_later_and_queried(dynamodb: Any, table: str) -> None:
    for number in range(5):
        owner = {"leaseOwner": {"S": f"worker-{number % 2}"}} if number < 4 else {}
        dynamodb.put_item(TableName=table, Item={"leaseKey": {"S": f"shard-{number}"}, "other": {"S": "x"}, **owner})
    dynamodb.update_table(
        TableName=table,
        AttributeDefinitions=[
            {"AttributeName": "leaseOwner", "AttributeType": "S"},
            {"AttributeName": "leaseKey", "AttributeType": "S"},
        ],
        GlobalSecondaryIndexUpdates=[
            {
                "Create": {
                    "IndexName": INDEX,
                    "KeySchema": [
                        {"AttributeName": "leaseOwner", "KeyType": "HASH"},
                        {"AttributeName": "leaseKey", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "KEYS_ONLY"},
                }
            }
        ],
    )
    described = dynamodb.describe_table(TableName=table)["Table"]
    index = described["GlobalSecondaryIndexes"][0]
    assert (index["IndexName"], index["IndexStatus"]) == (INDEX, "ACTIVE")
    query = {"TableName": table, "IndexName": INDEX}
    found = dynamodb.query(
        **query,
        KeyConditionExpression="leaseOwner = :owner",
        ExpressionAttributeValues={":owner": {"S": "worker-1"}},
    )["Items"]
    assert found == [{"leaseOwner": {"S": "worker-1"}, "leaseKey": {"S": f"shard-{number}"}} for number in (1, 3)]
    legacy = {"leaseOwner": {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "worker-0"}]}}
    pages = dynamodb.get_paginator("query").paginate(**query, KeyConditions=legacy, PaginationConfig={"PageSize": 1})
    assert [item["leaseKey"]["S"] for page in pages for item in page["Items"]] == ["shard-0", "shard-2"]


def test_a_scan_in_segments_sees_every_item_once(dynamodb: Any, table: str) -> None:
    keys = {f"shardId-{number:012}" for number in range(120)}
    requests = [{"PutRequest": {"Item": {"leaseKey": {"S": key}}}} for key in sorted(keys)]
    for start in range(0, len(requests), 25):
        assert not dynamodb.batch_write_item(RequestItems={table: requests[start : start + 25]})["UnprocessedItems"]

    def scan(segment: int) -> list[str]:
        pages = dynamodb.get_paginator("scan").paginate(
            TableName=table, Segment=segment, TotalSegments=10, PaginationConfig={"PageSize": 7}
        )
        return [item["leaseKey"]["S"] for page in pages for item in page["Items"]]

    with ThreadPoolExecutor(10) as threads:
        segments = list(threads.map(scan, range(10)))
    found = [key for segment in segments for key in segment]
    assert len(found) == len(keys)
    assert set(found) == keys
    assert max(map(len, segments)) < len(keys)


def test_rows_move_between_tables_in_a_transaction_fenced_by_the_leader_lock(dynamodb: Any, table: str) -> None:
    old = create(dynamodb)
    lock = {"leaseKey": {"S": "Leader"}, "ownerName": {"S": "me"}, "recordVersionNumber": {"S": "one"}}
    dynamodb.put_item(TableName=table, Item=lock)
    row = {"leaseKey": {"S": "worker"}, "sts": {"M": {"C": {"L": [{"N": "1.5"}]}}}, "lut": {"N": "1"}}
    dynamodb.put_item(TableName=old, Item=row)

    def move(owner: str) -> None:
        dynamodb.transact_write_items(
            TransactItems=[
                {
                    "ConditionCheck": {
                        "TableName": table,
                        "Key": {"leaseKey": {"S": "Leader"}},
                        "ConditionExpression": "ownerName = :me",
                        "ExpressionAttributeValues": {":me": {"S": owner}},
                    }
                },
                {
                    "Put": {
                        "TableName": table,
                        "Item": row,
                        "ConditionExpression": "attribute_not_exists(leaseKey)",
                        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                    }
                },
                {"Delete": {"TableName": old, "Key": {"leaseKey": {"S": "worker"}}}},
            ]
        )

    with pytest.raises(dynamodb.exceptions.TransactionCanceledException) as cancelled:
        move("another")
    reasons = cancelled.value.response["CancellationReasons"]
    assert [reason["Code"] for reason in reasons] == ["ConditionalCheckFailed", "None", "None"]
    assert dynamodb.get_item(TableName=old, Key={"leaseKey": {"S": "worker"}})["Item"] == row
    move("me")
    assert "Item" not in dynamodb.get_item(TableName=old, Key={"leaseKey": {"S": "worker"}})
    assert dynamodb.get_item(TableName=table, Key={"leaseKey": {"S": "worker"}})["Item"] == row
    with pytest.raises(dynamodb.exceptions.TransactionCanceledException) as cancelled:
        move("me")
    assert cancelled.value.response["CancellationReasons"][1]["Item"] == row


def test_of_many_writers_with_one_counter_one_succeeds(service: Service, dynamodb: Any, table: str) -> None:
    dynamodb.put_item(TableName=table, Item={**KEY, "leaseCounter": {"N": "0"}})

    def take(worker: int) -> bool:
        own = service.client("dynamodb")
        try:
            own.update_item(
                TableName=table,
                Key=KEY,
                AttributeUpdates={
                    "leaseOwner": {"Action": "PUT", "Value": {"S": str(worker)}},
                    "leaseCounter": {"Action": "PUT", "Value": {"N": "1"}},
                },
                Expected={"leaseCounter": {"Value": {"N": "0"}}},
            )
        except own.exceptions.ConditionalCheckFailedException:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        taken = list(threads.map(take, range(8)))
    assert taken.count(True) == 1
    owner = dynamodb.get_item(TableName=table, Key=KEY)["Item"]["leaseOwner"]["S"]
    assert taken[int(owner)]

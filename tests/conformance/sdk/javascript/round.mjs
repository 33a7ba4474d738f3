// The round with the AWS SDK for JavaScript 3 (HTTP/2): create, put, read by all iterator types, split, merge, subscribe,
// delete. Prints `ok STEP` for each step whose outcome was as expected, and `done`.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Kinesis, waitUntilStreamExists, waitUntilStreamNotExists } from '@aws-sdk/client-kinesis'

const HALF = 1n << 127n
const [LOW, HIGH] = ['shardId-000000000000', 'shardId-000000000001']
const client = new Kinesis({ maxAttempts: 1 })
const StreamName = `javascript-${randomUUID().slice(0, 8)}`
const waiting = { client, maxWaitTime: 20, minDelay: 1 }

function ok(step, found, expected) {
  assert.deepEqual(found, expected, step)
  console.log('ok', step)
}

async function put(data, hashKey) {
  const answer = await client.putRecord({
    StreamName,
    PartitionKey: 'key',
    ExplicitHashKey: String(hashKey),
    Data: Buffer.from(data),
  })
  return answer.SequenceNumber
}

async function iterator(ShardId, ShardIteratorType, start = {}) {
  return (await client.getShardIterator({ StreamName, ShardId, ShardIteratorType, ...start })).ShardIterator
}

/** Records up to the tip of the shard, and the last answer. */
async function drain(ShardIterator) {
  const records = []
  let answer
  while (ShardIterator) {
    answer = await client.getRecords({ ShardIterator, Limit: 2 })
    records.push(...answer.Records)
    ShardIterator = answer.NextShardIterator
    if (!answer.Records.length && answer.MillisBehindLatest === 0) break
  }
  return { records, last: answer, text: texts(records) }
}

const read = async (...place) => drain(await iterator(...place))
const texts = (records) => records.map((record) => Buffer.from(record.Data).toString()).join('')

await client.createStream({ StreamName, ShardCount: 2 })
await waitUntilStreamExists(waiting, { StreamName })
const summary = (await client.describeStreamSummary({ StreamName })).StreamDescriptionSummary
ok('create', [summary.StreamStatus, summary.OpenShardCount], ['ACTIVE', 2])

const latest = await iterator(LOW, 'LATEST')
await put('a', 0)
await sleep(20) // arrival times are in milliseconds: the next record has a later one
const Records = ['b', 'c'].map((text) => ({ PartitionKey: 'key', ExplicitHashKey: '1', Data: Buffer.from(text) }))
Records.push({ PartitionKey: 'key', ExplicitHashKey: String(HALF), Data: Buffer.from('z') })
const answer = await client.putRecords({ StreamName, Records })
ok('put', answer.Records.map((record) => record.ShardId), [LOW, LOW, HIGH])

const { records, text } = await read(LOW, 'TRIM_HORIZON')
ok('TRIM_HORIZON', text, 'abc')
const StartingSequenceNumber = records[1].SequenceNumber
ok('AT_SEQUENCE_NUMBER', (await read(LOW, 'AT_SEQUENCE_NUMBER', { StartingSequenceNumber })).text, 'bc')
ok('AFTER_SEQUENCE_NUMBER', (await read(LOW, 'AFTER_SEQUENCE_NUMBER', { StartingSequenceNumber })).text, 'c')
const Timestamp = records[1].ApproximateArrivalTimestamp
ok('AT_TIMESTAMP', (await read(LOW, 'AT_TIMESTAMP', { Timestamp })).text, 'bc')
ok('LATEST', (await drain(latest)).text, 'abc')

await client.splitShard({ StreamName, ShardToSplit: LOW, NewStartingHashKey: String(1n << 126n) })
await waitUntilStreamExists(waiting, { StreamName })
const split = await read(LOW, 'TRIM_HORIZON')
const children = split.last.ChildShards.map((child) => child.ShardId)
ok('split', [split.text, children], ['abc', ['shardId-000000000002', 'shardId-000000000003']])
ok('a child begins above its parent', BigInt(await put('d', 1n << 126n)) > BigInt(StartingSequenceNumber), true)

await client.mergeShards({ StreamName, ShardToMerge: children[1], AdjacentShardToMerge: HIGH })
await waitUntilStreamExists(waiting, { StreamName })
const merged = 'shardId-000000000004'
await put('e', 1n << 126n)
ok('merge', [(await read(children[1], 'TRIM_HORIZON')).text, (await read(merged, 'TRIM_HORIZON')).text], ['d', 'e'])
const open = (await client.listShards({ StreamName, ShardFilter: { Type: 'AT_LATEST' } })).Shards
ok('list', open.map((shard) => shard.ShardId), [children[0], merged])

const { Consumer } = await client.registerStreamConsumer({ StreamARN: summary.StreamARN, ConsumerName: 'fan-out' })
const { ConsumerARN } = Consumer
const subscribed = await client.subscribeToShard({
  ConsumerARN,
  ShardId: LOW,
  StartingPosition: { Type: 'TRIM_HORIZON' },
})
const [pushed, ended] = [[], []]
for await (const { SubscribeToShardEvent: event } of subscribed.EventStream) {
  pushed.push(...event.Records)
  ended.push(...(event.ChildShards ?? []).map((child) => child.ShardId))
}
ok('subscribe', [texts(pushed), ended], ['abc', children])
await client.deregisterStreamConsumer({ ConsumerARN })

await client.deleteStream({ StreamName })
await waitUntilStreamNotExists(waiting, { StreamName })
await assert.rejects(client.describeStreamSummary({ StreamName }), { name: 'ResourceNotFoundException' })
console.log('ok delete')
console.log('done')
client.destroy()

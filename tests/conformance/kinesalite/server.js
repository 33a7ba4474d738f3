'use strict'
// Stands in for kinesalite in its own tests: starts `millstream local` where they would start kinesalite.

const { spawn } = require('child_process')
const cbor = require('cbor')

// Members that AWS's answers have had since the tests were written. The tests compare whole answers, so these are taken
// out of them, as the SDKs of that time left them out.
const YOUNGER = ['StreamModeDetails', 'StreamId', 'MaxRecordSizeInKiB', 'WarmThroughput', 'StreamSummaries']

function asOfThen(value) {
  if (value === null || typeof value !== 'object' || Buffer.isBuffer(value)) return value
  for (const name of YOUNGER) delete value[name]
  if ('FailedRecordCount' in value) delete value.EncryptionType
  if ('StreamNames' in value) delete value.NextToken
  Object.values(value).forEach(asOfThen)
  return value
}

const parse = JSON.parse
JSON.parse = (text, reviver) => asOfThen(parse(text, reviver))
const decode = cbor.Decoder.decodeFirstSync
cbor.Decoder.decodeFirstSync = (input, options) => asOfThen(decode(input, options))

module.exports = (options) => {
  let child
  return {
    listen(port, done) {
      const flags = ['local', '--memory', '--port', String(port), '--state-delay', '500ms']
      child = spawn(process.env.MILLSTREAM, flags, { stdio: ['ignore', 'pipe', 'inherit'] })
      child.once('error', done)
      child.stdout.once('data', () => done())
      process.once('exit', () => child.kill())
    },
    close(done) {
      child.once('exit', () => done && done())
      child.kill()
    },
  }
}

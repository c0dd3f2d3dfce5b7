// What the drivers of npm packages share. They have the interface of python/driver/harness.py: `--list` lists the steps,
// a run prints one JSON line per step. Every API call goes through the package's own methods.
'use strict'

const { createHmac } = require('node:crypto')
const { readFileSync } = require('node:fs')
const http = require('node:http')
const https = require('node:https')

const steps = []

// Registers a step. Steps run in the order of registration.
function step(name, title, run) {
  steps.push({ name, title, run })
}

// Returned by a step if the package itself cannot send or read something, after the step saw it fail in exactly that way.
class Known {
  constructor(reason) {
    this.reason = reason
  }
}

function isTrue(condition, otherwise) {
  if (!condition) throw new Error(otherwise)
}

function equal(what, got, want) {
  isTrue(JSON.stringify(got) === JSON.stringify(want), `${what}: got ${JSON.stringify(got)}, want ${JSON.stringify(want)}`)
}

function matches(what, got, pattern) {
  isTrue(typeof got === 'string' && pattern.test(got), `${what}: got ${JSON.stringify(got)}, want ${pattern}`)
}

function emit(name, ok, detail) {
  process.stdout.write(JSON.stringify({ step: name, ok, detail }) + '\n')
}

function options(given) {
  const read = { only: [] }
  for (let place = 0; place < given.length; place++) {
    const name = given[place].replace(/^--/, '')
    if (name === 'list') read.list = true
    else if (name === 'only') read.only.push(given[++place])
    else read[name] = given[++place]
  }
  return read
}

// Runs the registered steps. `start` gets the options and the ready file, and returns what the steps share.
async function main(packageJson, start) {
  const chosen = options(process.argv.slice(2))
  if (chosen.list) {
    for (const { name, title } of steps) process.stdout.write(JSON.stringify({ step: name, title }) + '\n')
    return 0
  }
  const version = require(packageJson).version
  if (chosen['expect-version'] !== version) {
    process.stderr.write(`the package is ${version}, not ${chosen['expect-version']}\n`)
    return 2
  }
  // The package logs to the console. Standard output is for steps, so send its log to standard error.
  console.log = console.error
  const ready = JSON.parse(readFileSync(chosen.ready, 'utf8'))
  const world = await start(chosen, ready)
  world.ready = ready
  world.profile = chosen.profile
  world.dev = new DevWorld(ready)
  let good = true
  for (const { name, run } of steps) {
    if (chosen.only.length && !chosen.only.some(prefix => name.startsWith(prefix))) continue
    try {
      const outcome = await run(world)
      if (outcome instanceof Known) emit(name, 'known', outcome.reason)
      else emit(name, true, '')
    } catch (error) {
      good = false
      emit(name, false, String((error && error.message) || error).slice(0, 400))
    }
  }
  return good ? 0 : 1
}

// The URL with the host name of the server's certificate, if it has one.
function ownName(url) {
  return url.startsWith('https:') ? url.replace('127.0.0.1', 'localhost') : url
}

// The development endpoints: a user's telephone and inbox, and the server's clock.
class DevWorld {
  constructor(ready) {
    this.base = ownName(ready.base_url)
    this.seen = 0
  }

  call(method, path, body) {
    const url = new URL(this.base + path)
    const text = body === undefined ? '' : JSON.stringify(body)
    const headers = text ? { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) } : {}
    return new Promise((resolve, reject) => {
      const request = (url.protocol === 'https:' ? https : http).request(url, { method, headers }, answer => {
        let came = ''
        answer.on('data', chunk => (came += chunk))
        answer.on('end', () => {
          if (answer.statusCode >= 300) reject(new Error(`${method} ${path}: ${answer.statusCode} ${came}`))
          else resolve(came ? JSON.parse(came) : null)
        })
      })
      request.on('error', reject)
      request.end(text)
    })
  }

  async mark() {
    for (const message of await this.call('GET', `/dev/outbox?after=${this.seen}`)) this.seen = Math.max(this.seen, message.id)
  }

  async message(channel, user) {
    const found = await this.call('GET', `/dev/outbox?channel=${channel}&user_id=${user}&after=${this.seen}&wait=10s`)
    isTrue(found.length > 0, `no ${channel} message for user ${user} within 10 s`)
    this.seen = Math.max(this.seen, found[found.length - 1].id)
    return found[found.length - 1]
  }

  async code(channel, user) {
    return (await this.message(channel, user)).code
  }

  async now() {
    return (await this.call('GET', '/dev/clock')).now_ms ?? Date.parse((await this.call('GET', '/dev/clock')).now)
  }
}

// The code that an authenticator app shows (RFC 6238).
function totp(address, atMilliseconds) {
  const secret = new URL(address).searchParams.get('secret')
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  const bits = [...secret].map(letter => alphabet.indexOf(letter).toString(2).padStart(5, '0')).join('')
  const key = Buffer.from(bits.match(/.{8}/g).map(byte => parseInt(byte, 2)))
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(atMilliseconds / 30000)))
  const mac = createHmac('sha1', key).update(counter).digest()
  const value = mac.readUInt32BE(mac[19] & 15) & 0x7fffffff
  return String(value % 1000000).padStart(6, '0')
}

// Another code of the same form.
function other(code) {
  return code.slice(0, -1) + (code.endsWith('7') ? '4' : '7')
}

module.exports = { Known, equal, isTrue, main, matches, other, ownName, step, totp }

// The receiver between a socket and a sink: batches, pauses, the first bytes, and every way in which a body ends.

import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { AppError } from '../../../src/core/errors.ts'
import { ByteBudget } from '../../../src/uploads/budget.ts'
import { BATCH_BYTES, Receiver, type ReceiverOptions } from '../../../src/uploads/receive.ts'
import type { Sink } from '../../../src/uploads/stores/port.ts'

const MIB = 1024 ** 2

/** A sink that takes what it is given, or waits until it is told to. */
class TestSink implements Sink {
  position = 0
  durable = 0
  writes: number[] = []
  chunks: number[] = []
  bytes = Buffer.alloc(0)
  gate: Promise<void> | undefined
  failure: Error | undefined
  readonly #budget: ByteBudget

  constructor(budget: ByteBudget) {
    this.#budget = budget
  }

  async write(chunks: Buffer[], bytes: number): Promise<void> {
    this.writes.push(bytes)
    this.chunks.push(chunks.length)
    await this.gate
    this.#budget.release(bytes)
    if (this.failure !== undefined) throw this.failure
    this.bytes = Buffer.concat([this.bytes, ...chunks])
    this.position += bytes
  }

  flush(): Promise<void> {
    this.durable = this.position
    return Promise.resolve()
  }

  complete = () => this.flush()
  close = () => Promise.resolve()
}

class Body extends Readable {
  override _read(): void {
    // pushed by the test
  }
}

function setUp(options: Partial<ReceiverOptions> & { budgetBytes?: number } = {}) {
  const { budgetBytes = 100 * MIB, ...rest } = options
  const budget = new ByteBudget(budgetBytes, { receiveBudget: { set: () => undefined } })
  const sink = new TestSink(budget)
  const body = new Body()
  const receiver = new Receiver(body as unknown as IncomingMessage, sink, {
    limitBytes: 1000 * MIB,
    idleTimeoutMs: 60_000,
    budget,
    readsSockets: false,
    onBytes: () => undefined,
    checkpoint: () => sink.flush(),
    ...rest,
  })
  return { budget, sink, body, receiver, done: receiver.run() }
}

/** Lets streams and promises do what they have to do. */
const settle = async () => {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
}

const gate = () => {
  let open: () => void = () => undefined
  const promise = new Promise<void>((resolve) => {
    open = resolve
  })
  return { promise, open }
}

test('bytes arrive in order, in batches, and all memory is released in the end', async () => {
  const { budget, sink, body, done } = setUp()
  const sent = Buffer.from(Array.from({ length: 40 }, (_, i) => i))
  for (const byte of sent) body.push(Buffer.alloc(20_000, byte))
  body.push(null)
  expect(await done).toBe('complete')
  expect(sink.bytes.equals(Buffer.concat([...sent].map((byte) => Buffer.alloc(20_000, byte))))).toBe(true)
  expect(sink.writes.length).toBeLessThan(10)
  expect(budget.used).toBe(0)
})

test('reads that follow each other in memory are one chunk for the sink', async () => {
  const { sink, body, done } = setUp()
  const memory = Buffer.from('first second, and elsewhere')
  for (const piece of [memory.subarray(0, 6), memory.subarray(6, 12), memory.subarray(14)]) body.push(piece)
  body.push(null)
  expect(await done).toBe('complete')
  expect(sink.chunks).toEqual([2])
  expect(sink.bytes.toString()).toBe('first secondand elsewhere')
})

test('a client disconnects: received bytes are written', async () => {
  const { sink, body, done } = setUp()
  body.push(Buffer.alloc(1000))
  await settle()
  body.destroy()
  expect(await done).toBe('gone')
  expect(sink.position).toBe(1000)
})

test('one byte too many is refused, and nothing beyond the limit is stored', async () => {
  const { budget, sink, body, done } = setUp({ limitBytes: 1000 })
  body.push(Buffer.alloc(1000))
  await settle()
  body.push(Buffer.alloc(1))
  await expect(done).rejects.toMatchObject({ code: 'UPLOAD_LENGTH_EXCEEDED' })
  expect(sink.position).toBeLessThanOrEqual(1000)
  expect(budget.used).toBe(0)
})

test('a slow sink pauses the socket, and resumes it when it has finished', async () => {
  const { sink, body, done } = setUp()
  const slow = gate()
  sink.gate = slow.promise
  for (let i = 0; i < 20; i++) body.push(Buffer.alloc(BATCH_BYTES))
  await settle()
  expect(body.isPaused()).toBe(true)
  slow.open()
  sink.gate = undefined
  await settle()
  expect(body.isPaused()).toBe(false)
  body.push(null)
  expect(await done).toBe('complete')
  expect(sink.position).toBe(20 * BATCH_BYTES)
})

test('a socket with few bytes is paused too while others use all memory, and resumed when they release it', async () => {
  const { budget, sink, body, done } = setUp({ budgetBytes: MIB })
  budget.reserve(2 * MIB)
  body.push(Buffer.alloc(1000))
  await settle()
  expect(body.isPaused()).toBe(true)
  budget.release(2 * MIB)
  await settle()
  expect(body.isPaused()).toBe(false)
  body.push(null)
  expect(await done).toBe('complete')
  expect(sink.position).toBe(1000)
})

// Regression: paused for its own bytes while memory was short, it was resumed by nobody.
test('a socket paused while all memory is used is resumed when others release memory', async () => {
  const { budget, sink, body, done } = setUp({ budgetBytes: 4 * MIB })
  const slow = gate()
  sink.gate = slow.promise
  for (let i = 0; i < 12; i++) body.push(Buffer.alloc(BATCH_BYTES))
  await settle()
  expect(body.isPaused()).toBe(true)
  budget.reserve(10 * MIB)
  slow.open()
  sink.gate = undefined
  await settle()
  expect(body.isPaused()).toBe(true)
  budget.release(10 * MIB)
  await settle()
  expect(body.isPaused()).toBe(false)
  body.push(null)
  expect(await done).toBe('complete')
  expect(sink.position).toBe(12 * BATCH_BYTES)
})

test('a sink that fails ends the request and releases the memory', async () => {
  const { budget, sink, body, done } = setUp()
  sink.failure = new AppError('NO_SPACE')
  body.push(Buffer.alloc(BATCH_BYTES))
  body.push(Buffer.alloc(1000))
  await expect(done).rejects.toMatchObject({ code: 'NO_SPACE' })
  expect(budget.used).toBe(0)
})

test('stop drops unwritten bytes; leave writes them', async () => {
  for (const how of ['stop', 'leave'] as const) {
    const { budget, sink, body, receiver, done } = setUp()
    body.push(Buffer.alloc(1000))
    await settle()
    await receiver[how]()
    expect(await done).toBe('stopped')
    expect(sink.position).toBe(how === 'stop' ? 0 : 1000)
    expect(budget.used).toBe(0)
  }
})

test('work between two writes sees all earlier bytes, and nothing is written during it', async () => {
  const { sink, body, receiver, done } = setUp()
  body.push(Buffer.alloc(1000))
  await settle()
  const work = gate()
  let seen = -1
  const between = receiver.between(async () => {
    seen = sink.position
    await work.promise
    expect(sink.position).toBe(seen)
  })
  await settle()
  expect(seen).toBe(1000)
  body.push(Buffer.alloc(BATCH_BYTES))
  await settle()
  expect(sink.position).toBe(1000)
  work.open()
  await between
  body.push(null)
  await done
  expect(sink.position).toBe(1000 + BATCH_BYTES)
})

describe('the first bytes', () => {
  const wanted = 10
  /** Decides from ten bytes on; only `good` beginnings pass. */
  const sniff = (start: Buffer, whole: boolean): boolean => {
    if (start.length < wanted && !whole) return false
    if (!start.subarray(0, 4).equals(Buffer.from('good'))) throw new AppError('UPLOAD_TYPE_NOT_ALLOWED')
    return true
  }

  test('are checked from the beginning before anything is written, also with a flush in between', async () => {
    const { sink, body, receiver, done } = setUp({ sniff })
    for (const piece of ['go', 'od', ' be']) {
      body.push(piece)
      await settle()
      await receiver.between(() => sink.flush())
      expect(sink.position).toBe(0)
    }
    body.push('ginning')
    body.push(null)
    expect(await done).toBe('complete')
    expect(sink.bytes.toString()).toBe('good beginning')
  })

  // Regression: one byte a minute, each in another slab, kept fast clients from having any.
  test('keep no memory that others share, however long the rest is waited for', async () => {
    const { budget, sink, body, done } = setUp({ sniff })
    for (const piece of ['go', 'od']) {
      body.push(budget.slabs.copy(Buffer.from(piece)))
      await settle()
      expect(budget.slabs.bytes).toBe(0)
    }
    body.push(budget.slabs.copy(Buffer.from(' beginning')))
    body.push(null)
    expect(await done).toBe('complete')
    expect(sink.bytes.toString()).toBe('good beginning')
  })

  test('that are wrong end the request before the rest arrives', async () => {
    const { budget, sink, body, done } = setUp({ sniff })
    body.push('bad beginning')
    await expect(done).rejects.toMatchObject({ code: 'UPLOAD_TYPE_NOT_ALLOWED' })
    expect(sink.position).toBe(0)
    expect(budget.used).toBe(0)
  })

  test('that are too few when the client disconnects are not kept', async () => {
    const { sink, body, done } = setUp({ sniff })
    body.push('good')
    await settle()
    body.destroy()
    expect(await done).toBe('gone')
    expect(sink.position).toBe(0)
  })

  test('of a shorter body are judged as they are', async () => {
    const { sink, body, done } = setUp({ sniff })
    body.push('good')
    body.push(null)
    expect(await done).toBe('complete')
    expect(sink.position).toBe(4)
  })
})

describe('time', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] }))
  afterEach(() => void vi.useRealTimers())

  test('a client that sends nothing is disconnected, its bytes kept; one that we paused is not', async () => {
    const idle = setUp({ idleTimeoutMs: 10_000 })
    idle.body.push(Buffer.alloc(1000))
    await settle()
    const paused = setUp({ idleTimeoutMs: 10_000 })
    const slow = gate()
    paused.sink.gate = slow.promise
    for (let i = 0; i < 20; i++) paused.body.push(Buffer.alloc(BATCH_BYTES))
    await settle()
    vi.advanceTimersByTime(30_000)
    expect(await idle.done).toBe('gone')
    expect(idle.sink.position).toBe(1000)
    await settle()
    expect(paused.receiver.receivedBytes).toBeGreaterThan(0)
    slow.open()
    paused.sink.gate = undefined
    await settle()
    paused.body.push(null)
    expect(await paused.done).toBe('complete')
  })

  // Regression: nobody reads a paused socket, so neither its client's leaving nor its silence was ever seen.
  test('a client paused because of other clients is disconnected after the same time', async () => {
    const { budget, sink, body, done } = setUp({ budgetBytes: MIB, idleTimeoutMs: 10_000 })
    budget.reserve(2 * MIB)
    body.push(Buffer.alloc(1000))
    await settle()
    expect(body.isPaused()).toBe(true)
    vi.advanceTimersByTime(12_000)
    expect(await done).toBe('gone')
    expect(sink.position).toBe(1000)
    expect(budget.used).toBe(2 * MIB)
  })

  test('a few bytes do not wait for a complete batch', async () => {
    const { sink, body, done } = setUp()
    body.push(Buffer.alloc(10))
    await settle()
    expect(sink.position).toBe(0)
    vi.advanceTimersByTime(6000)
    await settle()
    expect(sink.position).toBe(10)
    body.push(null)
    await done
  })

  test('received bytes are made durable regularly during a long request', async () => {
    const { sink, body, done } = setUp()
    body.push(Buffer.alloc(2 * MIB))
    await settle()
    expect(sink.durable).toBe(0)
    vi.advanceTimersByTime(8000)
    await settle()
    expect(sink.durable).toBe(2 * MIB)
    body.push(null)
    await done
  })
})

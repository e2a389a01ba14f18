// The trial at start: it finds a Node whose internals are not as the socket reader needs them, says so once, and leaves uploads to
// node:http.

import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { afterEach, expect, test, vi } from 'vitest'
import type { Logger } from '../../../src/core/logger.ts'
import { SocketReading } from '../../../src/uploads/socket-reading.ts'

async function trial(isWanted = true): Promise<{ works: boolean; warnings: unknown[][] }> {
  const warn = vi.fn()
  const reading = new SocketReading(isWanted, { warn } as unknown as Logger)
  expect(reading.works).toBe(false)
  await reading.start()
  return { works: reading.works, warnings: warn.mock.calls }
}

type Methods = Record<string, unknown>

/** The prototypes of a TCP handle and of an HTTP parser, and its class: nothing exports them. */
async function internals(): Promise<{ handle: Methods; parser: Methods; parserClass: Methods }> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const arrived = new Promise<Socket>((resolve) => server.on('connection', resolve))
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const { _handle, parser } = (await arrived) as unknown as { _handle: object; parser: object }
  // `readStop` and its like stand further up than the handle's own prototype.
  let handle = Object.getPrototypeOf(_handle) as Methods
  while (!Object.hasOwn(handle, 'readStop')) handle = Object.getPrototypeOf(handle) as Methods
  const parserClass = parser.constructor as unknown as Methods
  const found = { handle, parser: Object.getPrototypeOf(parser) as Methods, parserClass }
  client.destroy()
  await new Promise((resolve) => server.close(resolve))
  return found
}

let restore: () => void = () => undefined
afterEach(() => {
  restore()
  restore = () => undefined
  vi.restoreAllMocks()
})

/** Replaces a method until the test has ended. */
function replace(methods: Methods, name: string, by: unknown): void {
  const before = Object.getOwnPropertyDescriptor(methods, name)
  if (before === undefined) throw new Error(`no ${name} to replace`)
  Object.defineProperty(methods, name, { value: by, configurable: true, writable: true })
  restore = () => void Object.defineProperty(methods, name, before)
}

test('it works on this Node, and nothing is logged', async () => {
  expect(await trial()).toEqual({ works: true, warnings: [] })
})

test('where it is not wanted it is not tried', async () => {
  expect(await trial(false)).toEqual({ works: false, warnings: [] })
})

test.each([
  ['handle', 'readStop'],
  ['handle', 'useUserBuffer'],
  ['parser', 'execute'],
  ['parserClass', 'kOnBody'],
] as const)('without %s.%s it does not work, and one line says so', async (where, name) => {
  const found = await internals()
  replace(found[where], name, undefined)
  const { works, warnings } = await trial()
  expect({ works, lines: warnings.length }).toEqual({ works: false, lines: 1 })
  expect(warnings[0]?.[1]).toBe('sockets are not read below node:http here; uploads need more CPU')
})

test('a parser that counts wrongly is found', async () => {
  const { parser } = await internals()
  const execute = parser['execute'] as (bytes: Buffer) => number
  replace(parser, 'execute', function (this: unknown, bytes: Buffer) {
    return Reflect.apply(execute, this, [bytes.subarray(1)]) + 1
  })
  expect((await trial()).works).toBe(false)
})

test('a Node on which it was not tried is left alone', async () => {
  vi.spyOn(process, 'versions', 'get').mockReturnValue({ ...process.versions, node: '99.0.0' })
  const { works, warnings } = await trial()
  expect({ works, lines: warnings.length }).toEqual({ works: false, lines: 1 })
})

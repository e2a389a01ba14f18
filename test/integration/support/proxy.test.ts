import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { waitFor } from '../../support/http.ts'
import { startTcpProxy, type TcpProxy } from '../../support/proxy.ts'

let server: Server
let proxy: TcpProxy
let received: string
let ended: boolean
let serverSide: Socket[]

beforeEach(async () => {
  received = ''
  ended = false
  serverSide = []
  server = createServer((socket) => {
    serverSide.push(socket)
    socket.on('data', (data) => {
      received += data
      socket.write(data)
    })
    socket.on('error', () => {}) // resets are the point of these tests
    socket.on('close', () => {
      ended = true
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  proxy = await startTcpProxy({ host: '127.0.0.1', port: address.port })
})

afterEach(async () => {
  await proxy.stop()
  for (const socket of serverSide) socket.destroy()
  server.close()
})

async function client(): Promise<{ socket: Socket; text: () => string }> {
  const socket = connect(proxy.port, proxy.host)
  let text = ''
  socket.on('data', (data) => {
    text += data
  })
  socket.on('error', () => {}) // as above
  await once(socket, 'connect')
  return { socket, text: () => text }
}

test('passes bytes and the end of a connection on', async () => {
  const { socket, text } = await client()
  socket.end('hello')
  await waitFor(() => text() === 'hello' && ended)
  expect(proxy.sentBytes()).toBe(5)
  await waitFor(() => proxy.connections() === 0)
})

test('a half-open connection is silent, hides its own end, and goes on when the cable is back', async () => {
  const { socket, text } = await client()
  socket.write('one')
  await waitFor(() => text() === 'one')
  proxy.set({ halfOpen: true })
  socket.end('two')
  const second = await client()
  second.socket.write('three')
  await new Promise((resolve) => setTimeout(resolve, 150))
  expect(received).toBe('one')
  expect(ended).toBe(false)
  proxy.reset()
  await waitFor(() => received.includes('two') && received.includes('three') && ended)
  second.socket.destroy()
})

test('throttles towards the target', async () => {
  const { socket } = await client()
  proxy.set({ bytesPerSecond: 10_000 })
  const startedAt = performance.now()
  socket.write(Buffer.alloc(5_000))
  await waitFor(() => received.length === 5_000)
  const tookMs = performance.now() - startedAt
  expect(tookMs).toBeGreaterThan(450)
  socket.destroy()
})

test('delays both ways', async () => {
  const { socket, text } = await client()
  proxy.set({ delayMs: 100 })
  const startedAt = performance.now()
  socket.write('x')
  await waitFor(() => text() === 'x')
  expect(performance.now() - startedAt).toBeGreaterThan(195)
  socket.destroy()
})

test('cuts running connections and refuses new ones', async () => {
  const { socket } = await client()
  socket.write('x')
  await waitFor(() => received === 'x')
  proxy.set({ refuse: true })
  const closed = new Promise((resolve) => socket.on('close', resolve))
  expect(proxy.cut()).toBe(1)
  await closed
  await waitFor(() => ended)
  const next = connect(proxy.port, proxy.host)
  await expect(once(next, 'close')).rejects.toThrow('ECONNRESET')
})

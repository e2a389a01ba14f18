// Ports of this machine, and whether something answers there.

import { connect, createServer } from 'node:net'

const given = new Set()

/** A free port on the loopback address, a different one each time. */
export async function freePort() {
  const port = await anyPort()
  if (given.has(port)) return await freePort()
  given.add(port)
  return port
}

function anyPort() {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

/** Whether the port is free. An address of another machine counts as free: the process reports that error itself. */
export function isFree(host, port) {
  return new Promise((resolve) => {
    const server = createServer()
    server.on('error', (error) => resolve(error.code !== 'EADDRINUSE'))
    server.listen(port, host, () => server.close(() => resolve(true)))
  })
}

/** Whether GET is answered with 200 within two seconds. */
export async function isReady(url) {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) })
    await response.arrayBuffer()
    return response.status === 200
  } catch {
    return false // nothing listens yet
  }
}

/** Whether a Redis on the loopback address accepts the password and answers. */
export function redisAnswers(port, password) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`AUTH ${password}\r\nPING\r\n`))
    let text = ''
    const end = (answer) => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(2_000, () => end(false))
    socket.on('error', () => end(false))
    socket.on('close', () => resolve(false))
    socket.on('data', (chunk) => {
      text += chunk
      if (text.includes('+PONG')) end(true)
      else if (text.startsWith('-')) end(false) // another password, or still loading its file
    })
  })
}

/** Repeats the question until it is true, `cancelled` is true, or the time is over; returns the last answer. */
export async function until(question, { timeoutMs, cancelled = () => false }) {
  const giveUpAt = Date.now() + timeoutMs
  for (;;) {
    if (await question()) return true
    if (cancelled() || Date.now() > giveUpAt) return false
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

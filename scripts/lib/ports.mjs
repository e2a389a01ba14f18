// Ports and answers on this machine.

import { connect, createServer } from 'node:net'

const given = new Set()

/** A port on the loopback address that was free a moment ago, and another one each time: two listeners must not get one. */
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

/** Whether one can listen there now. An address that is not this machine's counts as free: the process itself says so. */
export function isFree(host, port) {
  return new Promise((resolve) => {
    const server = createServer()
    server.on('error', (error) => resolve(error.code !== 'EADDRINUSE'))
    server.listen(port, host, () => server.close(() => resolve(true)))
  })
}

/** Whether a GET answers 200 within two seconds. */
export async function isReady(url) {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) })
    await response.arrayBuffer()
    return response.status === 200
  } catch {
    return false // nobody listens yet
  }
}

/** Whether a Redis on the loopback address takes the password and answers. */
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

/** Asks until the answer is yes, `cancelled` is true or the time is over; returns the last answer. */
export async function until(question, { timeoutMs, cancelled = () => false }) {
  const giveUpAt = Date.now() + timeoutMs
  for (;;) {
    if (await question()) return true
    if (cancelled() || Date.now() > giveUpAt) return false
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

// An HTTP proxy that counts what passes and breaks chosen requests: a 503 instead of an answer, a request cut in the
// middle, an answer lost after the work was done. Made for S3; it knows the operations' names.

import { once } from 'node:events'
import { Agent, createServer, request as forward, type IncomingMessage, type ServerResponse } from 'node:http'
import { s3Operation } from './s3-operations.ts'

export type Call = {
  method: string
  /** Path and query. */
  url: string
  /** By the rules of S3: PutObject, UploadPart, … */
  operation: string
  /** Of the body that arrived here. */
  requestBytes: number
  /** What the client was given; undefined while it waits, 0 where the connection was cut. */
  status: number | undefined
}

export type Fault = {
  /** An operation's name, or any condition. Absent: every request. */
  when?: string | ((call: Call) => boolean)
  /** After so many requests the fault is over. Absent: until it is removed. */
  times?: number
} & (
  | { act: 'answer'; status: number; body?: string; headers?: Record<string, string> }
  | { act: 'delay'; ms: number }
  /** Forwards so many bytes of the body, then resets both connections. */
  | { act: 'cutRequest'; afterBytes: number }
  /** The target does the work and answers; the client only sees its connection reset. */
  | { act: 'dropResponse' }
  /** The target does the work; the client gets the answer so much later. */
  | { act: 'delayResponse'; ms: number }
  /** Forwarded when the fault is removed. */
  | { act: 'hold' }
  /** The target does the work; the client gets the answer when the fault is removed. */
  | { act: 'holdResponse' }
  /** Never forwarded, never answered, left open. */
  | { act: 'silence' }
)

export type HttpProxy = {
  readonly host: '127.0.0.1'
  readonly port: number
  readonly url: string
  /** All requests so far, refused ones too. */
  readonly calls: Call[]
  /** How many calls of each operation. */
  counts(): Record<string, number>
  /** Adds a fault; the first one that fits a request acts on it. Returns what removes it. */
  fault(fault: Fault): () => void
  /** Removes all faults and forgets all calls. */
  reset(): void
  stop(): Promise<void>
}

type Active = { fault: Fault; left: number; held: Array<() => void> }

function fits(fault: Fault, call: Call): boolean {
  if (fault.when === undefined) return true
  return typeof fault.when === 'string' ? fault.when === call.operation : fault.when(call)
}

/** `target`: http://host:port. The Host header is passed on as it came, so that S3 signatures hold. */
export async function startHttpProxy(target: string): Promise<HttpProxy> {
  const upstream = new URL(target)
  const agent = new Agent({ keepAlive: true, noDelay: true })
  const calls: Call[] = []
  let active: Active[] = []

  const faultFor = (call: Call): Active | undefined => {
    const found = active.find(({ fault, left }) => left > 0 && fits(fault, call))
    if (found) found.left--
    return found
  }
  const remove = (over: (one: Active) => boolean) => {
    const ended = active.filter(over)
    active = active.filter((one) => !over(one))
    for (const { held } of ended) for (const go of held) go()
  }

  const pass = (incoming: IncomingMessage, outgoing: ServerResponse, call: Call, found?: Active) => {
    const fault = found?.fault
    const cut = () => {
      call.status = 0
      incoming.socket.resetAndDestroy()
      onward.destroy()
    }
    const { expect: _, ...headers } = incoming.headers // 100 Continue was answered here
    const onward = forward(
      {
        host: upstream.hostname,
        port: upstream.port,
        method: call.method,
        path: call.url,
        headers,
        setHost: false,
        agent,
      },
      (answer) => {
        if (fault?.act === 'dropResponse') {
          answer.resume().on('end', cut)
          return
        }
        const give = () => {
          call.status = answer.statusCode ?? 0
          outgoing.writeHead(call.status, answer.rawHeaders)
          answer.on('error', cut)
          answer.pipe(outgoing)
        }
        if (fault?.act === 'delayResponse') setTimeout(give, fault.ms)
        else if (fault?.act === 'holdResponse') found?.held.push(give)
        else give()
      },
    )
    onward.on('error', cut)
    outgoing.on('close', () => {
      if (!outgoing.writableFinished) onward.destroy() // the client went away
    })
    const limit = fault?.act === 'cutRequest' ? fault.afterBytes : Number.POSITIVE_INFINITY
    let passed = 0
    incoming.on('data', (chunk: Buffer) => {
      passed += chunk.length
      call.requestBytes = Math.min(passed, limit)
      if (passed >= limit) {
        incoming.pause()
        onward.write(chunk.subarray(0, limit - passed + chunk.length), cut)
      } else if (!onward.write(chunk)) {
        incoming.pause()
        onward.once('drain', () => incoming.resume())
      }
    })
    incoming.on('end', () => onward.end())
  }

  const server = createServer({ requestTimeout: 0, noDelay: true }, (incoming, outgoing) => {
    const { method = 'GET', url = '/' } = incoming
    const operation = s3Operation(method, url, 'x-amz-copy-source' in incoming.headers)
    const call: Call = { method, url, operation, requestBytes: 0, status: undefined }
    calls.push(call)
    incoming.on('error', () => {}) // an aborted request: its socket's close tells the rest
    const found = faultFor(call)
    const fault = found?.fault
    switch (fault?.act) {
      case 'answer':
        call.status = fault.status
        outgoing.sendDate = false // the date is the store's to tell, whose clock may be another
        incoming.resume().on('end', () => outgoing.writeHead(fault.status, fault.headers).end(fault.body))
        return
      case 'delay':
        setTimeout(() => pass(incoming, outgoing, call), fault.ms)
        return
      case 'hold':
        found?.held.push(() => pass(incoming, outgoing, call))
        return
      case 'silence':
        incoming.resume()
        return
      default:
        pass(incoming, outgoing, call, found)
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port')

  return {
    host: '127.0.0.1',
    port: address.port,
    url: `http://127.0.0.1:${address.port}`,
    calls,
    counts() {
      const counts: Record<string, number> = {}
      for (const { operation } of calls) counts[operation] = (counts[operation] ?? 0) + 1
      return counts
    },
    fault(fault) {
      const entry: Active = { fault, left: fault.times ?? Number.POSITIVE_INFINITY, held: [] }
      active.push(entry)
      return () => remove((one) => one === entry)
    },
    reset() {
      remove(() => true)
      calls.length = 0
    },
    async stop() {
      server.close()
      server.closeAllConnections()
      agent.destroy()
      await once(server, 'close')
    },
  }
}

// A client that is refused ends with its error: a run of `npm run clients` never hangs on it.

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { tusJs } from '../../../../tools/clients/tus-js.ts'

it('an upload that another client would resume ends where the first one is refused', async () => {
  const server = createServer((_request, response) => response.writeHead(400).end())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  const scenario = (await tusJs.prepare()).find(({ name }) => name === 'resumed by another client')
  const task = { endpoint: `http://127.0.0.1:${port}/files`, bytes: Buffer.alloc(1000), path: '/nowhere' }
  await expect(scenario?.send(task)).rejects.toThrow('400')
})

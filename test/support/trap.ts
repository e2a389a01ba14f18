// Listeners that nobody may reach: each connection is counted and closed.

import { createServer, type Server } from 'node:net'

export type Trap = {
  /** @param where a path of a socket; nothing: a free port of loopback. @returns the port; 0 for a path */
  listen(path?: string): Promise<number>
  /** Connections since the count was last asked for. */
  caught(): number
  close(): Promise<void>
}

export function setTrap(): Trap {
  const servers: Server[] = []
  let connections = 0
  return {
    async listen(path) {
      const server = createServer((socket) => {
        connections++
        socket.destroy()
      })
      servers.push(server)
      await new Promise<void>((resolve) => {
        if (path === undefined) server.listen(0, '127.0.0.1', resolve)
        else server.listen(path, resolve)
      })
      const address = server.address()
      return typeof address === 'object' ? (address?.port ?? 0) : 0
    },
    caught() {
      const count = connections
      connections = 0
      return count
    },
    async close() {
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
    },
  }
}

// What stops a process from starting, in one clear line each, with the exit code that says "do not restart me".

import { ConfigError, EXIT_CONFIG } from './config.ts'

/** Prints the reason and exits: 78 for what an operator must mend (configuration, a busy port, a missing tool). */
export function exitOnStartError(thrown: unknown): never {
  const { code, port, address } = (thrown ?? {}) as { code?: string; port?: number; address?: string }
  if (thrown instanceof ConfigError) {
    process.stderr.write(`${thrown.message}\n`)
    process.exit(EXIT_CONFIG)
  }
  if (code === 'EADDRINUSE' || code === 'EACCES' || code === 'EADDRNOTAVAIL') {
    const why = code === 'EADDRINUSE' ? 'is in use' : 'cannot be used'
    process.stderr.write(`${address ?? 'The address'}:${port ?? ''} ${why}: choose another PORT, OPS_PORT or HOST\n`)
    process.exit(EXIT_CONFIG)
  }
  if (thrown instanceof StartError) {
    process.stderr.write(`${thrown.message}\n`)
    process.exit(EXIT_CONFIG)
  }
  process.stderr.write(`${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}\n`)
  process.exit(1)
}

/** Something outside that must be mended before this can start. */
export class StartError extends Error {}

// Start errors: one clear line each, and the exit code that prevents restarts.

import { ConfigError, EXIT_CONFIG } from './config.ts'

/** Prints the reason and exits: 78 for errors that an operator must fix (configuration, a busy port, a missing tool). */
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

/** An external error that must be fixed before the process can start. */
export class StartError extends Error {}

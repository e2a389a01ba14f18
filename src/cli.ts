// Entry of the command line: arguments → configuration → dependencies → one command → exit code.

import { hostname, userInfo } from 'node:os'
import { CliError, EXIT, type ExitCode } from './cli/errors.ts'
import { parseCommandLine } from './cli/parse.ts'
import { ConfigError, loadConfig } from './core/config.ts'
import { AppError } from './core/errors.ts'
import { createLogger } from './core/logger.ts'
import { keepFilesPrivate } from './core/private-files.ts'
import { StartError } from './core/start-error.ts'
import { createDeps } from './deps.ts'
import { Controls } from './ops/controls.ts'
import { FindIndex } from './ops/find/find-index.ts'
import { createLookup } from './support/lookup.ts'

async function main(args: readonly string[]): Promise<ExitCode> {
  const parsed = parseCommandLine(args)
  if (parsed.kind === 'help') {
    await write(`${parsed.text}\n`)
    return EXIT.done
  }
  if (parsed.kind === 'alone') return await parsed.run((line) => void process.stdout.write(`${line}\n`))
  const config = loadConfig()
  await keepFilesPrivate(config.storage.dataDir)
  // Stdout is only for the result.
  const logger = createLogger({ name: 'songngan-cli', level: 'error' }, process.stderr)
  const deps = await createDeps(config, logger, { securityLines: false })
  try {
    const redis = deps.redis.producer
    const operator = { by: `command line ${userInfo().username} at ${hostname()}`, from: null }
    const { queues, clock, securityLog } = deps
    const result = await parsed.run({
      deps,
      controls: new Controls({ redis, queues, clock, securityLog }),
      find: new FindIndex(redis),
      support: createLookup(deps),
      operator,
      nowMs: clock.now(),
      line: (text) => write(`${text}\n`),
    })
    if (result.security !== undefined) await securityLog.record({ ...result.security, actor: operator })
    const lines = parsed.json && result.json !== undefined ? [JSON.stringify(result.json, null, 2)] : result.text
    if (lines.length > 0) await write(`${lines.join('\n')}\n`)
    return result.exitCode ?? EXIT.done
  } finally {
    await deps.close()
  }
}

/** Resolves when everything is written: pipes accept long texts in pieces. */
function write(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => (error ? reject(error) : resolve()))
  })
}

/** The message for people and the exit code for scripts. */
function ending(thrown: unknown): { message: string; exitCode: ExitCode } {
  if (thrown instanceof CliError) return thrown
  if (thrown instanceof ConfigError) return { message: thrown.message, exitCode: EXIT.config }
  if (thrown instanceof StartError) return { message: thrown.message, exitCode: EXIT.unavailable }
  if (thrown instanceof AppError) {
    const isAway = thrown.code === 'REDIS_UNAVAILABLE' || thrown.code === 'STORE_UNAVAILABLE'
    return { message: `${thrown.code}: ${thrown.message}`, exitCode: isAway ? EXIT.unavailable : EXIT.failed }
  }
  const message = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)
  return { message, exitCode: EXIT.failed }
}

main(process.argv.slice(2)).then(
  (exitCode) => process.exit(exitCode),
  (error: unknown) => {
    const { message, exitCode } = ending(error)
    process.stderr.write(`${message}\n`)
    process.exit(exitCode)
  },
)

// Where clients in other languages are installed, and how their own tools are run.

import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { NotInstalled } from './model.ts'

/** The project's folder: from tools/clients, or from dist/tools/clients. */
export const ROOT = [join(import.meta.dirname, '../..'), join(import.meta.dirname, '../../..')].find((folder) =>
  existsSync(join(folder, 'package-lock.json')),
) as string

export const DRIVERS = join(import.meta.dirname, 'drivers')

const BUILD_TIMEOUT_MS = 600_000
const RUN_TIMEOUT_MS = 180_000

/** Version of an npm package of the project's development dependencies. */
export function installedVersion(name: string): string {
  const text = readFileSync(join(ROOT, 'node_modules', name, 'package.json'), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

/** The client's folder under .cache, created if it is missing. */
export async function cacheOf(name: string): Promise<string> {
  const folder = join(ROOT, '.cache/clients', name)
  await mkdir(folder, { recursive: true })
  return folder
}

const run = promisify(execFile)

/** The line of a tool's output that names the error; it is seldom the last one. */
function causeOf(error: unknown): string {
  const { stdout = '', stderr = '', code } = error as { stdout?: string; stderr?: string; code?: unknown }
  if (code === 'ENOENT') return 'it is not installed'
  const lines = `${stdout}\n${stderr}`.split('\n').filter((line) => line.trim() !== '')
  const cause = lines.find((line) => /error|not found|not available|refused|no such/i.test(line)) ?? lines.at(-1)
  return (cause ?? String(error)).trim().slice(0, 300)
}

/** Runs a step of a client's installation. Throws NotInstalled with the tool's own message. */
export async function prepareWith(program: string, args: string[], cwd: string): Promise<void> {
  try {
    await run(program, args, { cwd, timeout: BUILD_TIMEOUT_MS, maxBuffer: 64 * 1024 ** 2 })
  } catch (error) {
    throw new NotInstalled(`${program} ${args[0] ?? ''}: ${causeOf(error)}`)
  }
}

/** Runs a driver; resolves with the URL in the last line that it prints. */
export async function drive(program: string, args: string[]): Promise<string> {
  try {
    const { stdout } = await run(program, args, { timeout: RUN_TIMEOUT_MS, maxBuffer: 64 * 1024 ** 2 })
    return stdout.trim().split('\n').at(-1) ?? ''
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string }
    throw new Error(`${String(error).split('\n')[0]}\n${stderr.trim().split('\n').slice(-5).join('\n')}`)
  }
}

// promtool, Prometheus' own check of metrics and rules, where it is installed. Tests that need it skip themselves
// elsewhere; what can be said without it is checked by code of their own.

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

export const RULES = join(import.meta.dirname, '../../docker/prometheus/rules.yml')

/** On PATH, or where the test run puts it. */
const CACHED = join(import.meta.dirname, '../../.cache/bin/promtool')
const PROGRAM = existsSync(CACHED) ? CACHED : 'promtool'

/** Whether promtool can be run here. */
export function promtoolAvailable(): boolean {
  return spawnSync(PROGRAM, ['--version']).status === 0
}

/** What promtool says against an exposition; '' where it says nothing, or is not here. */
export function checkMetrics(exposition: string): string {
  const { error, stdout, stderr } = spawnSync(PROGRAM, ['check', 'metrics'], { input: exposition })
  return error === undefined ? `${stdout}${stderr}`.trim() : ''
}

/** Runs `promtool` with arguments. */
export function promtool(...args: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(PROGRAM, args, { encoding: 'utf8' })
  return { status, output: `${stdout}${stderr}` }
}

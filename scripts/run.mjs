// `npm run service | worker | try | surge | bench | rehearse | …`: one program, built if needed, with its V8 flags.

import { resolve } from 'node:path'
import { asksForHelp, main, Refusal } from './lib/log.mjs'
import { NAMES } from './lib/node-command.mjs'
import { runPart } from './lib/part.mjs'
import { dataDir, loadEnvFile } from './lib/paths.mjs'
import { withoutServiceSecrets } from './lib/secrets.mjs'
import { setUp } from './lib/setup.mjs'

const [name, ...args] = process.argv.slice(2)

/** Node reads certificates of one's own before a program begins: `--ca FILE` of a tool has to be in its environment. */
function withCa(env) {
  const at = args.findIndex((word) => word === '--ca' || word.startsWith('--ca='))
  const file = args[at] === '--ca' ? args[at + 1] : args[at]?.slice('--ca='.length)
  return at < 0 || !file ? env : { ...env, NODE_EXTRA_CA_CERTS: resolve(file) }
}

/** Tools have their own usage texts; these two take no arguments. */
const USAGE = {
  service: 'npm run service     receives files and serves the API; settings are in the environment (.env.example)',
  worker: 'npm run worker     checks and converts files; settings are in the environment (.env.example)',
}

await main(async () => {
  if (USAGE[name] !== undefined && asksForHelp(args)) {
    process.stdout.write(`${USAGE[name]}\n`)
    return
  }
  if (!NAMES.includes(name)) throw new Refusal(`usage: node scripts/run.mjs ${NAMES.join('|')} [arguments]`)
  loadEnvFile()
  // Images have their system packages; the service and the worker report themselves what is missing.
  await setUp({ tools: false })
  const given = name === 'worker' ? withoutServiceSecrets(process.env) : withCa(process.env)
  const env = { ...given, DATA_DIR: dataDir() }
  process.exitCode = await runPart(name, args, env)
})

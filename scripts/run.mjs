// `npm run service | worker | try | surge | bench | rehearse | …`: one program, built if needed, with its V8 flags.

import { asksForHelp, main, Refusal } from './lib/log.mjs'
import { NAMES } from './lib/node-command.mjs'
import { runPart } from './lib/part.mjs'
import { dataDir, loadEnvFile } from './lib/paths.mjs'
import { readSecrets, withoutServiceSecrets } from './lib/secrets.mjs'
import { setUp } from './lib/setup.mjs'

const [name, ...args] = process.argv.slice(2)

/** Tools that act as a portal use the first configured API key, or the one that `npm start` generated. */
function withApiKey(env) {
  if (name === 'service' || name === 'worker' || env.API_KEY) return env
  const given = env.API_KEYS?.split(',')[0]?.trim()
  if (given) return { ...env, API_KEY: given.slice(given.indexOf(':') + 1) }
  const kept = readSecrets(dataDir(env))
  return kept === undefined ? env : { ...env, API_KEY: kept.apiKey }
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
  const given = name === 'worker' ? withoutServiceSecrets(process.env) : withApiKey(process.env)
  const env = { ...given, DATA_DIR: dataDir() }
  process.exitCode = await runPart(name, args, env)
})

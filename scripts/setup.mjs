// `node scripts/setup.mjs [--tests]`: system packages, npm packages, build. `npm start` and `npm test` do it automatically.

import { main } from './lib/log.mjs'
import { setUp } from './lib/setup.mjs'
import { versitygwNeedsPython } from './lib/versitygw.mjs'

const tests = process.argv.includes('--tests')
await main(async () => {
  await setUp({ tools: { tests, python: tests && (await versitygwNeedsPython()) } })
}, 'node scripts/setup.mjs [--tests]     installs missing packages and builds; --tests: also the packages of the tests')

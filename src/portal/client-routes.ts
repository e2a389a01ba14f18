// `/client`: the packages that portals integrate with, so that they need no registry. Each version has addresses of its own, which
// never change; `/client/0.1/…` leads to the newest that fits. Public: there is nothing in them that the repository has not.

import { readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import type { Config } from '../core/config.ts'
import { AppError } from '../core/errors.ts'
import { publicUrl } from '../http/public-url.ts'

/** Made by the build (`scripts/lib/clients/build.mjs`). */
const BUILT = join(import.meta.dirname, '../../served-clients')

const FOR_EVER = 'public, max-age=31536000, immutable'
const ASK_FIRST = 'no-cache'
/** What is the newest: soon after an update of the service the new one is used. */
const FIVE_MINUTES = 'public, max-age=300'

/** By its name a `.ts` would be a film. */
const TYPES: Record<string, string> = { '.ts': 'text/plain; charset=utf-8', '.tgz': 'application/gzip' }

type ClientPackage = {
  name: string
  version: string
  /** What is imported by the name of the package. */
  entry: string
  tarball: string
  files: Record<string, { bytes: number; integrity: string }>
}

/** Pages of any origin may load them: what a page then calls is decided by CORS_ORIGINS. */
const PUBLIC_HEADERS = {
  'access-control-allow-origin': '*',
  'cross-origin-resource-policy': 'cross-origin',
  'x-content-type-options': 'nosniff',
}

type ClientList = {
  packages: ClientPackage[]
  /** Of builds before: pages that are open, and portals that pin a version, go on asking for their files. */
  earlier: ClientPackage[]
}

/**
 * Registers `GET /client` and `GET /client/{version}/…`.
 *
 * @param folder where the build has put them
 * @throws if the packages were not built
 */
export async function clientRoutes(
  app: FastifyInstance,
  { config, folder = BUILT }: { config: Pick<Config, 'http'>; folder?: string },
): Promise<void> {
  const list = await readFile(join(folder, 'packages.json'), 'utf8').catch((cause: unknown) => {
    throw new Error(`the packages for portals are not built: ${folder} is missing. Run npm run build`, { cause })
  })
  const { packages, earlier } = JSON.parse(list) as ClientList

  app.get('/client', { schema: { hide: true } }, (request, reply) => {
    const base = `${publicUrl(config, request)}/client`
    return reply
      .headers(PUBLIC_HEADERS)
      .header('cache-control', FIVE_MINUTES)
      .send({ packages: packages.map((one) => described(one, base)) })
  })

  app.get<{ Params: { version: string; '*': string } }>(
    '/client/:version/*',
    {
      schema: { hide: true },
      onSend: async (request, reply) => {
        const type = TYPES[extname(request.url)]
        if (reply.statusCode === 200 && type !== undefined) void reply.type(type)
        // A file that is listed and was removed meanwhile: that it is missing is not to be kept for ever.
        if (reply.statusCode === 404) void reply.header('cache-control', ASK_FIRST)
      },
    },
    (request, reply) => {
      const { version, '*': file } = request.params
      const has = ({ files }: ClientPackage) => Object.hasOwn(files, file)
      void reply.headers(PUBLIC_HEADERS)
      if ([...packages, ...earlier].some((one) => one.version === version && has(one)))
        return reply.header('cache-control', FOR_EVER).sendFile(file, join(folder, version))
      const fitting = packages.find((one) => has(one) && fits(one.version, version))
      if (fitting === undefined) throw new AppError('NOT_FOUND')
      // The exact version of another release, perhaps of a service that is updated right now. Ours is sent in its place, and is no
      // redirect: the next request may reach the other service, which would send it back here.
      if (version.includes('-'))
        return reply.header('cache-control', ASK_FIRST).sendFile(file, join(folder, fitting.version))
      // Relative, so that it works behind any prefix of a proxy.
      const address = `${'../'.repeat(file.split('/').length)}${fitting.version}/${file}`
      return reply.header('cache-control', FIVE_MINUTES).redirect(address, 302)
    },
  )
}

function described({ name, version, entry, tarball, files }: ClientPackage, base: string) {
  const of = (file: string) => ({ url: `${base}/${version}/${file}`, ...files[file] })
  return {
    name,
    version,
    module: of(entry),
    newest: `${base}/${lineOf(version)}/${entry}`,
    tarball: of(tarball),
    files: Object.keys(files).map(of),
  }
}

/** `0.1` of `0.1.7-b…`, `2` of `2.3.4-b…`: within these a newer version does what the older one did (semver 2.0.0, 4 and 8). */
function lineOf(version: string): string {
  const [major = '', minor = ''] = version.split('.')
  return major === '0' ? `0.${minor}` : major
}

/** Whether a portal that asks for this version, or for the beginning of one, may get ours. */
function fits(ours: string, asked: string): boolean {
  return /^\d+(\.\d+){0,2}(-b[0-9a-f]+)?$/.test(asked) && lineOf(`${asked}.`) === lineOf(ours)
}

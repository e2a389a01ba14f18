// Clients in other languages: installed by their own package tools into .cache/clients, run by the small programs in
// drivers/. A driver's arguments are a case, the creation URL and a file; it prints the upload's URL.

import { copyFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Client, Scenario } from './model.ts'
import { cacheOf, DRIVERS, drive, prepareWith } from './packages.ts'

type Ways = Record<string, string>

/** Scenarios of a driver that is run as `program …before way endpoint path`. */
function scenarios(ways: Ways, program: string, before: string[]): Scenario[] {
  return Object.entries(ways).map(([way, name]) => ({
    name,
    ends: way === 'terminate' ? 'gone' : 'stored',
    send: ({ endpoint, path }) => drive(program, [...before, way, endpoint, path]),
  }))
}

const TUSPY = '1.1.0'

export const tuspy: Client = {
  name: 'tuspy',
  version: TUSPY,
  async prepare() {
    const folder = await cacheOf('tuspy')
    const python = join(folder, 'venv/bin/python')
    await prepareWith('python3', ['-m', 'venv', 'venv'], folder)
    await prepareWith(python, ['-m', 'pip', 'install', '--quiet', `tuspy==${TUSPY}`], folder)
    const ways = {
      chunks: 'in chunks of 1 MiB',
      whole: 'one chunk',
      checksum: 'a checksum for each chunk',
      resume: 'resumed by another client',
    }
    return scenarios(ways, python, [join(DRIVERS, 'tuspy.py')])
  },
}

const TUS_JAVA = '0.5.1'

const POM = `<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>driver</groupId><artifactId>driver</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>io.tus.java.client</groupId><artifactId>tus-java-client</artifactId><version>${TUS_JAVA}</version></dependency>
  </dependencies>
</project>
`

export const tusJava: Client = {
  name: 'tus-java-client',
  version: TUS_JAVA,
  async prepare() {
    const folder = await cacheOf('tus-java-client')
    await writeFile(join(folder, 'pom.xml'), POM)
    const jars = join(folder, 'jars')
    await prepareWith('mvn', ['-q', '-B', 'dependency:copy-dependencies', `-DoutputDirectory=${jars}`], folder)
    const source = join(DRIVERS, 'tus-java/Driver.java')
    await prepareWith('javac', ['-cp', join(jars, '*'), '-d', folder, source], folder)
    const ways = {
      chunks: 'requests of 1 MiB (ends with an empty PATCH)',
      whole: 'one request',
      resume: 'resumed by another client',
    }
    return scenarios(ways, 'java', ['-cp', `${join(jars, '*')}:${folder}`, 'Driver'])
  },
}

const TUSGO = 'v0.1.2'

export const tusgo: Client = {
  name: 'tusgo',
  version: TUSGO,
  async prepare() {
    const folder = await cacheOf('tusgo')
    await copyFile(join(DRIVERS, 'tusgo/main.go'), join(folder, 'main.go'))
    await writeFile(join(folder, 'go.mod'), 'module driver\n\ngo 1.22\n')
    await prepareWith('go', ['get', `github.com/bdragon300/tusgo@${TUSGO}`], folder)
    await prepareWith('go', ['build', '-o', 'driver', '.'], folder)
    const ways = {
      stream: 'one PATCH',
      chunks: 'in chunks of 1 MiB',
      checksum: 'a checksum for each chunk',
      deferred: 'a length declared later',
      creation: 'data with the creation',
      partials: 'two partial uploads, joined',
      terminate: 'terminated when complete',
    }
    return scenarios(ways, join(folder, 'driver'), [])
  },
}

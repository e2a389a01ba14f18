// Loads requirement profiles from folders of JSON files at start. Either all files are
// valid or none is loaded: the error lists every error with file and path.

import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AppError } from '../../core/errors.ts'
import { type Profile, profileOf } from './profile.ts'
import { isProfileData, type ProfileError, schemaErrors, semanticErrors } from './profile-errors.ts'

export type ProfileFileError = ProfileError & { file: string }

/** Thrown by {@link loadProfiles}; the message is one line per error, for the operator. @internal */
export class ProfileLoadError extends Error {
  readonly errors: readonly ProfileFileError[]

  constructor(errors: readonly ProfileFileError[]) {
    super(`Requirement profiles are not valid:\n${errors.map((f) => `  ${f.file} ${f.path}: ${f.message}`).join('\n')}`)
    this.name = 'ProfileLoadError'
    this.errors = errors
  }
}

export type ProfileCatalogue = {
  /**
   * `teacher.K4@1`: exactly that version; `teacher.K4`: the newest enabled version (or the newest of all).
   * Disabled ones are found too, for submissions that pinned them before.
   */
  get(key: string): Profile | undefined
  /** The profile that a submission may pin. Throws PROFILE_UNKNOWN if there is none or it is disabled. */
  pin(key: string): Profile
  /** All versions of all profiles, including disabled ones, by id and version. */
  list(): readonly Profile[]
}

/** Beside this file, in `src` and in `dist`. */
export function shippedProfilesDir(): string {
  return fileURLToPath(new URL('./data', import.meta.url))
}

/**
 * Loads every `*.json` of the folders (not of subfolders).
 *
 * @param dirs shipped profiles first, then the operator's own (`PROFILES_DIR`); every id and version must be unique
 * @throws {ProfileLoadError} with all errors of all files
 */
export function loadProfiles(dirs: readonly string[]): ProfileCatalogue {
  const errors: ProfileFileError[] = []
  const profiles = new Map<string, { profile: Profile; file: string }>()
  for (const file of dirs.flatMap((dir) => jsonFiles(dir, errors))) {
    const profile = readProfile(file, errors)
    if (!profile) continue
    const earlier = profiles.get(profile.key)
    if (earlier) errors.push({ file, path: '/version', message: `${profile.key} is already in ${earlier.file}` })
    else profiles.set(profile.key, { profile, file })
  }
  if (errors.length > 0) throw new ProfileLoadError(errors)
  return catalogue([...profiles.values()].map(({ profile }) => profile))
}

function jsonFiles(dir: string, errors: ProfileFileError[]): string[] {
  try {
    return readdirSync(dir)
      .filter((name) => name.endsWith('.json'))
      .sort()
      .map((name) => join(dir, name))
  } catch (error) {
    errors.push({ file: dir, path: '/', message: `cannot be read (${reason(error)})` })
    return []
  }
}

function readProfile(file: string, errors: ProfileFileError[]): Profile | undefined {
  let value: unknown
  try {
    value = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    errors.push({ file, path: '/', message: `is not readable JSON (${reason(error)})` })
    return undefined
  }
  const found = isProfileData(value) ? semanticErrors(value, basename(file)) : schemaErrors(value)
  errors.push(...found.map((error) => ({ file, ...error })))
  return found.length === 0 && isProfileData(value) ? profileOf(value) : undefined
}

function catalogue(all: Profile[]): ProfileCatalogue {
  const profiles = all.toSorted((a, b) => (a.id === b.id ? a.version - b.version : a.id < b.id ? -1 : 1))
  const get = (key: string): Profile | undefined => {
    const versions = profiles.filter((profile) => profile.id === key)
    return (
      profiles.find((profile) => profile.key === key) ??
      versions.findLast((profile) => profile.enabled) ??
      versions.at(-1)
    )
  }
  return {
    get,
    pin(key) {
      const profile = get(key)
      if (!profile?.enabled) throw new AppError('PROFILE_UNKNOWN', { details: { profile: key } })
      return profile
    },
    list: () => profiles,
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

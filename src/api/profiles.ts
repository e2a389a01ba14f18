// GET /v1/profiles: requirement profiles, with the verification of each value.

import Type from 'typebox'
import type { Auth } from '../auth/authenticate.ts'
import { AppError } from '../core/errors.ts'
import { isUnchanged } from '../http/conditional.ts'
import { noContent, problems } from '../http/openapi/responses.ts'
import type { Api } from '../http/typed-routes.ts'
import type { ProfileCatalogue } from '../submissions/profiles/loader.ts'
import { BilingualSchema, ProfileDataSchema } from '../submissions/profiles/schema.ts'

export type ProfilesApiDeps = { auth: Auth; profiles: ProfileCatalogue }

const Summary = Type.Object(
  {
    key: Type.String({ description: 'Id and version that a submission pins: `teacher.K4@1`' }),
    id: Type.String(),
    version: Type.Integer(),
    enabled: Type.Boolean({ description: 'False: listed, but no submission can use it' }),
    position: Type.Object({ id: Type.String(), label: BilingualSchema }),
    rank: Type.Object({ code: Type.String(), label: BilingualSchema }),
    circular: Type.Optional(Type.String()),
    slots: Type.Array(Type.String(), { description: 'Ids of the enabled slots' }),
  },
  { title: 'ProfileSummary', description: 'A requirement profile in a list' },
)

const Profile = Type.Object(
  { key: Type.String(), ...ProfileDataSchema.properties },
  { title: 'Profile', description: 'A requirement profile, with the verification word of each value' },
)

const ProfileList = Type.Object(
  { items: Type.Array(Summary), nextCursor: Type.Null() },
  { title: 'ProfileList', description: 'All profiles' },
)

export function profilesApi(api: Api, { auth, profiles }: ProfilesApiDeps): void {
  const onRequest = auth.requirePortalOrSession('read')

  api.get(
    '/v1/profiles',
    {
      onRequest,
      schema: {
        tags: ['profiles'],
        operationId: 'listProfiles',
        summary: 'List requirement profiles',
        description: 'Every version of every profile, by id and version.',
        response: {
          200: ProfileList,
          ...problems([]),
        },
      },
    },
    async () => ({
      items: profiles.list().map(({ key, id, version, enabled, data, slots }) => ({
        key,
        id,
        version,
        enabled,
        position: data.position,
        rank: data.rank,
        ...(data.circular === undefined ? {} : { circular: data.circular }),
        slots: slots.map((slot) => slot.id),
      })),
      nextCursor: null,
    }),
  )

  api.get(
    '/v1/profiles/:id',
    {
      onRequest,
      schema: {
        tags: ['profiles'],
        operationId: 'getProfile',
        summary: 'Read a requirement profile',
        description:
          '`teacher.K4@1` is exactly that version, `teacher.K4` the newest one that is enabled. Only values whose ' +
          'verification word is `seed`, `secondary` or `default` are enforced.',
        params: Type.Object({ id: Type.String({ description: '`teacher.K4@1` or `teacher.K4`' }) }),
        response: { 200: Profile, 304: noContent('Not changed'), ...problems(['ID_INVALID', 'PROFILE_UNKNOWN']) },
      },
    },
    async (request, reply) => {
      const profile = profiles.get(request.params.id)
      if (profile === undefined) throw new AppError('PROFILE_UNKNOWN', { details: { profile: request.params.id } })
      const document = { key: profile.key, ...profile.data }
      return isUnchanged(request, reply, document) ? reply.code(304).send(null) : document
    },
  )
}

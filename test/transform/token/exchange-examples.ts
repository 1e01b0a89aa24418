// The examples of RFC 8693, verbatim with their lines joined.

import type { ExchangeParts } from './asking-for-tokens.ts'

/** RFC 8693 §3: how the types of tokens begin. */
export const TYPES = 'urn:ietf:params:oauth:token-type:'

/** One exchange. */
export interface Example {
  readonly name: string
  readonly terms: NonNullable<ExchangeParts['terms']>
  readonly subject: string
  readonly actor?: string
  /** The request, its lines joined. */
  readonly request: string
  /** The response, its text values joined. */
  readonly response: string
  /** The claims of the issued token, as the RFC shows them. */
  readonly claims: object
  /** When it was issued, in seconds. */
  readonly at: number
}

const ORIGINAL = [
  'eyJhbGciOiJFUzI1NiIsImtpZCI6IjE2In0.eyJhdWQiOiJodHRwc',
  'zovL2FzLmV4YW1wbGUuY29tIiwiaXNzIjoiaHR0cHM6Ly9vcmlnaW5hbC1pc3N1ZXI',
  'uZXhhbXBsZS5uZXQiLCJleHAiOjE0NDE5MTA2MDAsIm5iZiI6MTQ0MTkwOTAwMCwic',
  '3ViIjoiYmRjQGV4YW1wbGUubmV0Iiwic2NvcGUiOiJvcmRlcnMgcHJvZmlsZSBoaXN',
  '0b3J5In0.PRBg-jXn4cJuj1gmYXFiGkZzRuzbXZ_sDxdE98ddW44ufsbWLKd3JJ1VZ',
  'hF64pbTtfjy4VXFVBDaQpKjn5JzAw',
].join('')

const DELEGATING = [
  'eyJhbGciOiJFUzI1NiIsImtpZCI6IjE2In0.eyJhdWQiOiJodHRwc',
  'zovL2FzLmV4YW1wbGUuY29tIiwiaXNzIjoiaHR0cHM6Ly9vcmlnaW5hbC1pc3N1ZXI',
  'uZXhhbXBsZS5uZXQiLCJleHAiOjE0NDE5MTAwNjAsInNjb3BlIjoic3RhdHVzIGZlZ',
  'WQiLCJzdWIiOiJ1c2VyQGV4YW1wbGUubmV0IiwibWF5X2FjdCI6eyJzdWIiOiJhZG1',
  'pbkBleGFtcGxlLm5ldCJ9fQ.4rPRSWihQbpMIgAmAoqaJojAxj-p2X8_fAtAGTXrvM',
  'xU-eEZHnXqY0_AOZgLdxw5DyLzua8H_I10MCcckF-Q_g',
].join('')

const ACTOR = [
  'eyJhbGciOiJFUzI1NiIsImtpZCI6IjE2In0.eyJhdWQiOiJodHRwczo',
  'vL2FzLmV4YW1wbGUuY29tIiwiaXNzIjoiaHR0cHM6Ly9vcmlnaW5hbC1pc3N1ZXIuZ',
  'XhhbXBsZS5uZXQiLCJleHAiOjE0NDE5MTAwNjAsInN1YiI6ImFkbWluQGV4YW1wbGU',
  'ubmV0In0.7YQ-3zPfhUvzje5oqw8COCvN5uP6NsKik9CVV6cAOf4QKgM-tKfiOwcgZ',
  'oUuDL2tEs6tqPlcBlMjiSzEjm3yBg',
].join('')

/** §2.3 (its response, too), A.1 and A.2. */
export const EXAMPLES: readonly Example[] = [
  {
    name: '§2.3, an access token for a resource',
    terms: { resource: ['https://backend.example.com/api'] },
    subject: 'accVkjcJyb4BWCxGsndESCJQbdFMogUC5PbRDqceLTC',
    request: [
      'grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange',
      '&resource=https%3A%2F%2Fbackend.example.com%2Fapi',
      '&subject_token=accVkjcJyb4BWCxGsndESCJQbdFMogUC5PbRDqceLTC',
      '&subject_token_type=',
      'urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token',
    ].join(''),
    response: [
      '{"access_token":"eyJhbGciOiJFUzI1NiIsImtpZCI6IjllciJ9.eyJhdWQiOiJo',
      'dHRwczovL2JhY2tlbmQuZXhhbXBsZS5jb20iLCJpc3MiOiJodHRwczovL2FzLmV',
      '4YW1wbGUuY29tIiwiZXhwIjoxNDQxOTE3NTkzLCJpYXQiOjE0NDE5MTc1MzMsIn',
      'N1YiI6ImJkY0BleGFtcGxlLmNvbSIsInNjb3BlIjoiYXBpIn0.40y3ZgQedw6rx',
      'f59WlwHDD9jryFOr0_Wh3CGozQBihNBhnXEQgU85AI9x3KmsPottVMLPIWvmDCM',
      'y5-kdXjwhw","issued_token_type":',
      '"urn:ietf:params:oauth:token-type:access_token",',
      '"token_type":"Bearer","expires_in":60}',
    ].join(''),
    claims: {
      aud: 'https://backend.example.com',
      iss: 'https://as.example.com',
      exp: 1_441_917_593,
      iat: 1_441_917_533,
      sub: 'bdc@example.com',
      scope: 'api',
    },
    at: 1_441_917_533,
  },
  {
    name: 'A.1.1, impersonation',
    terms: { audience: ['urn:example:cooperation-context'], subjectTokenType: `${TYPES}jwt` },
    subject: ORIGINAL,
    request: [
      'grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange',
      '&audience=urn%3Aexample%3Acooperation-context',
      `&subject_token=${ORIGINAL}`,
      '&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt',
    ].join(''),
    response: [
      '{"access_token":"eyJhbGciOiJFUzI1NiIsImtpZCI6IjcyIn0.eyJhdWQiOiJ1cm4',
      '6ZXhhbXBsZTpjb29wZXJhdGlvbi1jb250ZXh0IiwiaXNzIjoiaHR0cHM6Ly9hcy5l',
      'eGFtcGxlLmNvbSIsImV4cCI6MTQ0MTkxMzYxMCwic3ViIjoiYmRjQGV4YW1wbGUub',
      'mV0Iiwic2NvcGUiOiJvcmRlcnMgcHJvZmlsZSBoaXN0b3J5In0.rMdWpSGNACTvnF',
      'uOL74sYZ6MVuld2Z2WkGLmQeR9ztj6w2OXraQlkJmGjyiCq24kcB7AI2VqVxl3wSW',
      'nVKh85A","issued_token_type":',
      '"urn:ietf:params:oauth:token-type:access_token",',
      '"token_type":"Bearer","expires_in":3600}',
    ].join(''),
    claims: {
      aud: 'urn:example:cooperation-context',
      iss: 'https://as.example.com',
      exp: 1_441_913_610,
      sub: 'bdc@example.net',
      scope: 'orders profile history',
    },
    at: 1_441_910_010,
  },
  {
    name: 'A.2.1, delegation',
    terms: { audience: ['urn:example:cooperation-context'], subjectTokenType: `${TYPES}jwt` },
    subject: DELEGATING,
    actor: ACTOR,
    request: [
      'grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange',
      '&audience=urn%3Aexample%3Acooperation-context',
      `&subject_token=${DELEGATING}`,
      '&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt',
      `&actor_token=${ACTOR}`,
      '&actor_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt',
    ].join(''),
    response: [
      '{"access_token":"eyJhbGciOiJFUzI1NiIsImtpZCI6IjcyIn0.eyJhdWQiOiJ1cm4',
      '6ZXhhbXBsZTpjb29wZXJhdGlvbi1jb250ZXh0IiwiaXNzIjoiaHR0cHM6Ly9hcy5l',
      'eGFtcGxlLmNvbSIsImV4cCI6MTQ0MTkxMzYxMCwic2NvcGUiOiJzdGF0dXMgZmVlZ',
      'CIsInN1YiI6InVzZXJAZXhhbXBsZS5uZXQiLCJhY3QiOnsic3ViIjoiYWRtaW5AZX',
      'hhbXBsZS5uZXQifX0.3paKl9UySKYB5ng6_cUtQ2qlO8Rc_y7Mea7IwEXTcYbNdwG',
      '9-G1EKCFe5fW3H0hwX-MSZ49Wpcb1SiAZaOQBtw","issued_token_type":',
      '"urn:ietf:params:oauth:token-type:jwt",',
      '"token_type":"N_A","expires_in":3600}',
    ].join(''),
    claims: {
      aud: 'urn:example:cooperation-context',
      iss: 'https://as.example.com',
      exp: 1_441_913_610,
      scope: 'status feed',
      sub: 'user@example.net',
      act: { sub: 'admin@example.net' },
    },
    at: 1_441_910_010,
  },
]

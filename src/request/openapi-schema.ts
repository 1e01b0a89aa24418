// `openapi` of a route: the description of the API behind it, by which rules can name operations.

import * as z from 'zod'
import { pathSchema } from '../config/values.ts'

/** The `openapi` section. */
export const openapiSchema = z
  .strictObject({
    file: pathSchema.describe('Swagger 2.0 or OpenAPI 3.0 to 3.2, as JSON or YAML.'),
    base: z
      .string()
      .regex(/^\/[\w\-.~/]*$/, 'must be a path such as "/v1"')
      .optional()
      .describe(
        'The path prefix of the document’s paths, as callers request them. Default: that of its `basePath` or `servers`.',
      ),
    undefined: z
      .enum(['deny', 'pass'])
      .default('deny')
      .describe(
        'What happens to requests for no operation of the document: refused, or left to the rules. With `kind: kubernetes`, discovery is always left to them: what the ClusterRole `system:discovery` covers, such as `/openapi/v3`.',
      ),
    scopes: z
      .enum(['ignore', 'require'])
      .default('ignore')
      .describe(
        'Whether the token must have the scopes that the document’s `security` requires for the operation (claims `scope` or `scp`).',
      ),
  })
  .describe('The OpenAPI document of the published API: rules can then name its operations.')

/** The parsed `openapi`. */
export type OpenApiConfig = z.output<typeof openapiSchema>

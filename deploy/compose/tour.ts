// The tour of `npm run demo` for the services of docker-compose.yml, as curl commands.
//
//   node tour.ts [ADDRESS:]PORT    where Envoy is published

import { curlFor, TOUR } from '../../demo/tour.ts'

const CA = 'demo-ca.pem'

const port = Number(process.argv[2]?.split(':').at(-1))

console.log(`docker compose cp envoy:/var/lib/countersign/envoy/ca.pem ${CA}\n`)
for (const [index, stop] of TOUR.entries()) {
  console.log(`${index + 1}. ${stop.title}`)
  console.log(`   ${curlFor(stop, port, CA)}`)
  console.log(`   → ${stop.want.status}; look for ${stop.want.look}\n`)
}
console.log('Audit events:   docker compose logs --follow authz signer')

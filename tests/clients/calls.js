// Calls of a Node client: `calls.js MODULES MODULE URL KEY TAG COUNT GZIP PAUSE`.
//
// MODULE is `@segment/analytics-node` or `@rudderstack/rudder-sdk-node`, found in the folder MODULES. Every call carries
// a mark of its own, TAG-0, TAG-1 …; the last line names those that the client gave up.

const [modules, module_, url, key, tag, count, gzip, pause] = process.argv.slice(2)
const library = require(require.resolve(module_, { paths: [modules] }))

const failed = []
const waiting = []
let call, close
if (module_.startsWith('@segment')) {
  const client = new library.Analytics({ writeKey: key, host: url, maxEventsInBatch: 7, flushInterval: 100, maxRetries: 20 })
  client.on('error', (error) => failed.push(String(error.reason ?? error.code)))
  call = (kind, message) => client[kind](message)
  close = () => client.closeAndFlush({ timeout: 60000 })
} else {
  const client = new library(key, {
    dataPlaneUrl: url, flushAt: 7, flushInterval: 100, retryCount: 20, gzip: gzip === 'gzip', logLevel: 'error', errorHandler: () => {},
  })
  client.logger.error = () => {}
  call = (kind, message) => waiting.push(new Promise((done) => client[kind](message, (error) => {
    if (error) failed.push(String(error))
    done()
  })))
  close = () => Promise.all(waiting)
}

const user = `user-${tag}`
const visit = `visit-${tag}`
const main = async () => {
  for (let number = 0; number < Number(count); number++) {
    const mark = `${tag}-${number}`
    const calls = [
      ['track', { anonymousId: visit, event: 'Product Viewed', properties: { mark } }],
      ['identify', { userId: user, traits: { mark, plan: 'pro', email: `${user}@shop.example` } }],
      ['track', { userId: user, event: 'Order Completed', properties: { mark, total: 12.5, note: 'é 😀' } }],
      ['page', { userId: user, category: 'Docs', name: 'Pricing', properties: { mark } }],
      ['screen', { userId: user, category: 'App', name: 'Home', properties: { mark } }],
      ['group', { userId: user, groupId: 'acct-9', traits: { mark } }],
      ['alias', { previousId: `old-${mark}`, userId: user }],
    ]
    call(...calls[number % 7])
    await new Promise((done) => setTimeout(done, Number(pause) * 1000))
  }
  call('identify', { userId: user, anonymousId: visit, traits: { mark: `${tag}-${count}` } })
  await close()
  console.log(JSON.stringify(failed))
}
main()

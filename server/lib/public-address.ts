import { BlockList, isIP } from 'node:net'

/** Of IPv4, what is not the public internet: RFC 6890 and the registry it began. */
const V4_SPECIAL = [
  '0.0.0.0/8', // this network
  '10.0.0.0/8', // private
  '100.64.0.0/10', // carriers' NAT
  '127.0.0.0/8', // loopback
  '169.254.0.0/16', // link-local, where clouds answer with credentials
  '172.16.0.0/12', // private
  '192.0.0.0/24', // protocol assignments
  '192.0.2.0/24', // documentation
  '192.88.99.0/24', // 6to4 relays
  '192.168.0.0/16', // private
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, and broadcast
] as const

/** Of IPv6, only this much has been given out at all: loopback, ULA, link-local, v4-mapped and NAT64 all lie outside. */
const V6_GIVEN_OUT = ['2000::/3'] as const
const V6_SPECIAL = [
  '2001::/23', // protocol assignments, Teredo among them, which carries an IPv4 address
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4, which carries an IPv4 address
  '3fff::/20', // documentation
] as const

function listOf(ranges: readonly string[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList()
  for (const range of ranges) {
    const [address, bits] = range.split('/')
    list.addSubnet(address!, Number(bits), family)
  }
  return list
}

const v4Special = listOf(V4_SPECIAL, 'ipv4')
const v6GivenOut = listOf(V6_GIVEN_OUT, 'ipv6')
const v6Special = listOf(V6_SPECIAL, 'ipv6')

/** Whether an IP address is one of the public internet. What is no address at all is not. */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !v4Special.check(address, 'ipv4')
    case 6:
      return !address.includes('%') && v6GivenOut.check(address, 'ipv6') && !v6Special.check(address, 'ipv6')
    default:
      return false
  }
}

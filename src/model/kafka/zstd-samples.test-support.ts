// What the `zstd` command (1.5.4) made of bytes that `sampleBytes` and `editedBytes` make again.

export interface ZstdSample {
  readonly seed: number;
  readonly size: number;
  readonly symbols: number;
  readonly base64: string;
}

/** Bytes with short repetitions, so that every kind of distance is used; the low ones are the most frequent. */
export function sampleBytes({ seed, size, symbols }: Omit<ZstdSample, 'base64'>): Buffer {
  let state = seed;
  const next = (most: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % most;
  };
  const out: number[] = [];
  while (out.length < size) {
    const distance = 1 + next(Math.min(out.length, 12) + 1);
    if (out.length > 20 && next(4) === 0) for (let i = 3 + next(9); i > 0; i--) out.push(out[out.length - distance]);
    else out.push(Math.floor((next(symbols) * next(symbols)) / symbols));
  }
  return Buffer.from(out.slice(0, size));
}

/** More than one block, of much the same content: later ones refer to tables of earlier ones. */
export function editedBytes(): Buffer {
  const all = Buffer.concat(Array(80).fill(sampleBytes({ seed: 12, size: 2000, symbols: 40 })));
  for (let i = 0; i < 400; i++) all[i * 400 + ((i * 137) % 400)] = (i * 31) % 50;
  return all;
}

export const ZSTD_SAMPLES: readonly ZstdSample[] = [
  {
    seed: 1,
    size: 300,
    symbols: 4,
    base64:
      'KLUv/QRY9QIA0AAAAgABAAECAAEBAQAAAQEBAQIAAAEBAQEBICBwgtJoHZAtxAG2YCN6D6qBIuKOzQEWcfYoQDmYJ9RCKVBWAHMwFBgZKIPsQ1MQh9WGHYfmbWMbcBFwHJjRDHIVLG4QAkE=',
  },
  {
    seed: 2,
    size: 700,
    symbols: 12,
    base64:
      'KLUv/QRozQUA0o0UiWRDIxIRz/TkZ9I4ITZULEJ8GphwJGmiSSgHxRO72pkyWuSzTKxE0YEhLcyVl6pVwOQTMY1OcxJwM7HPDrDGikQAlI5AQ1f8xnDDthl6XfGU3DmoYbmTaIICbZ0OUJL1ASEMkjBKpS5NczxElzPCwyGKNlgMrF+uCQOYhzO4Gq9mGUAHOd8wwJRUIuprM/hDS1h4ozPlvD4uBfMMQeYS/QrwQOOInLYP5VJQEWspntZ8JqNDsBpkjFfA',
  },
  {
    seed: 3,
    size: 1500,
    symbols: 40,
    base64:
      'KLUv/QRopQ8AVhxIDxBo6joAtR80D2+NWFKnFEIAQgBDAM4LRharVmvMWNOWLEO23OTn17jUO3SZsQd/iPPG2uSU1iqvEsyV9ELDM/JUN2qfs5/AtEOI5kxo9V1CvAvOA0BhKUYry3JGIgpaqXhVanOeZjbHDLcuby9JH/sO8yW0stmzjwxOLGrJjobYW8LRMMUjHUqLTrByuiq1h8K2y/EAfPcpaj5gBqyLUyXctXEUZ7PzpI2xI5dNnEjjG/RqzCHOVR9TTkZxFSF2W8nyxLuK6iXHgHtuHVYw9816zBY8dDDUWs8Y0D/u4UPdd4dE0UChQPd/Mh12DDLgTmnysbz8Ogfy+MvMpAqg4s9S8sTkE3LKPQdEQAI16CStsxYrk4AQmrpf5RylBGkvgIioETGk0gRtk2kMMAzqAzAImapSSTonbwcpdXpQ8p0C3KH8jKEQhnI+rBnvv+CVL8UvXA3WFSG6LauMk48oMLo6gPGD9EYzL/zYVgfFBSHf4BRGh9RCx0NVFIMqx1+A9AoRABU0MK+WnNRubGqgmP6ZPElH5knXer06eHjkKPsFtL/HL4rZcvB4oEWQVXPgfrheuInI3IHFrBT4X5gbYQCqsHV+xO1Twxm3Qb8FtSdwzIQqug6tkeVUaRUgaBBTKW5wu1SRrc+oveYM7OSOqgr/hQUi',
  },
  {
    seed: 4,
    size: 900,
    symbols: 100,
    base64:
      'KLUv/QRYNQwABhREHUCQUg/Sdt+ohWmFJFCUGOV3Khh1BFTBIkRlraa2PQA7ADwABlcio7VMw+uTy0Q7M2pMABgQwssM2rbWrpxEVyS64qjTpdWc6nQVG6UCIMS7HpKkx9YjbqDJkahVQe55A1YKoKXDsltCPugotWiLqC2T4lWP2JTD/NRIgjxN+VC9zLLP6FbK9OmscmXQX+zvvWp7ix7h7zNasxgBklCiQDlnqudxEmhfYgDDN4LwwLBH89E4efvF9S272MwgCm0y/artge+GXJnCxoahtWGpccpq0zhl9/wDT4oif1IU+ZMin9wki3yzLJ1PaqgeKXTrkdKxTkHHOqqYi2tYoCY467wTxFKE6vT/1OnH84I5vmM/qMEk6KgaojCbFuYwAowfESAUxmHsPElhWAP/kJrgBGP7s/6cjHcBBEgrAmhlFoIacBcu+PYD/gh3EsZLCc6Oh5oVULc0GvFIObaETWdASZ0RbrGafZbKE78/Eb0Ar7vmVBq9fzoppGOMns7Ij3M/sBOrul1gBQ==',
  },
  {
    seed: 5,
    size: 2500,
    symbols: 6,
    base64:
      'KLUv/QRoBQ4Adqopg0MhKQAqACUAvdYMTHLJlQ4EkpmRfkKtnb/BCt3LIpCcREGeaFUgQy59Bt353Hwyez8XSJavHDJJvvYM5gXoDkI5CzkATwXtZPWUtm+URCX+kl0SkksGMN7RkLvBbyl7shmT/TabaX1/Tid4s0v6PDYFOoSSXozMz9OyLuV/3tqTABMym4Jele0Jvm1/X3rhb+HcXi/8ZoX1XF7iyGwE4OcOidPPyYCqqAGlc8zQEI0kSaEDQMppk3QSCFEYJChBBmdoREaaFAo7Y1wvDOmakTmQoyOt0FBkfrw6VhbNHP7pYYEBeBYYCV09mA3vAmAe88B+naq59JJK5AjDUusxggAA9N44ht5fgdb8Whu3T9GcSKvqI/8c0ZbJU4iwSRH4sXUNWuMCgwMipINw7jnvIapJqUCyk9ZUiRwLwVqL0Dhe+cKmIizM/W7o5y6n2r1+RTAdLwa+AC+EjeLfKzayq9bgexkDBNEtACGQvvgx3BEZTdIrjL2wUEudwZwVdrqBGSoAnrkAz+MCv3nTKeHAMAIYmNaljJ2poYBiC1wzzKvGzi8iI7kr5Y8WRbfP4uWwJLOB2ESZ5d8oUUjVVfCwmw4=',
  },
  {
    seed: 6,
    size: 60,
    symbols: 200,
    base64: 'KLUv/QRYrQEAtAIKFlYMOhENJgxPHqkGBmWUFRdfIkclRyVHJSlHJUclR3WfFAR6bx4mDhQEAgBcctCtiAFzKoOI',
  },
  {
    seed: 7,
    size: 1200,
    symbols: 250,
    base64:
      'KLUv/QRgNRMApBwZOaEPBnCNEBthHamGWikAWQI5EEgPgANID4CrIW0CVQUNVYCrVYCrC60/HRA7LhsCLlolAGAFPH4FPH4FLGEaCASanF4FNYTGAx0bHpQHAJQ+KnwWWEJIPFxW6i6NkkRfETGQZF8RMZAdHR0dHQ89JQQgTTYyECkBPwFECFhXMU9KUUFyELID4RM/CSNJA1oBKgCyA+ETEA9+437hXk2YKi6URUuAOxgfNTcAgQAkUAYOACoPiCVZyiBjCFyexE5GHIkMpmaEhXAfsQUMZoSFInCxBQxmBBkpdh82JJJ7dh82ZRYEThsREWQ0bE4ObSRJEE5sTmxxSAsLCwsLVSMKYCJgC2MGbQoHAQkwCwsiYB9RVVsnICAvAC4zDBBLTno+R0ZGRkYGCVZOTEZWVlYysgE+BgNVNw6yMgE+Ii8LFyQDVGowPGN1hgcKAWsPEwA2HieeLSY+mR82OCEmElc6FhMrXitFXCsrXjZeK0UrQgkrQitFVQdbFc8jg5CeDnQEhHIOIkocWDQachYmZ4BdWEIERDM6BEQzd3pjMAMZXSoTNSGUVT0AAjBmbgcBUU8FN4U9Cno/mTQQVQgsZYgvCi8KCj+ZNLg/KF2o4SiDDgkJlRglHWAC1QcRMEBIoVomGXYD4WDfdAAHgjz1b9BLXwwV916HgmHNRlqmcKyoV2FFceTXAbnooNqmqw5etZDRB+2RL0OLjAnYdOMBQDhJ3aNDxCK18tFBbY2056kwH3xsHveQmNspQzOetBpxKag0zL7TFgDEKcLS86/ifmYw2zaDbX2Z8M+Fg7plF8Yrn6xzXqpy1aE6',
  },
  {
    seed: 8,
    size: 4000,
    symbols: 3,
    base64:
      'KLUv/QSIvQkANhELgBAJAAkACQA1/o+InxT7Dy0azj/vQnRIEynSxFKmQcPGxChX0XNwDGg7pBlroHFVViNpkkq7AVAGKREhmwfUBimjLdn1NObwFlPUc++K653khkEf2Vji5oqG0bnlZoY4Lx5m2D4vjF55FBQv1+glIarYWEKCKv2lk+EITRQkGejO2wJYKRqgq0QZLVGouL35LnST1M+pdoUwg4Xxzk1AY48DYOnqxglY+6Y+VHlBHKEWiELa2j3fovt9DorWSKFy2o5AtRF10OFALI3/UkxbvDKZ3kAAVSojPi1Kv42ly3jF7LHrBRRGYRFFIykUrdtjLaC7oxF2bJ23/vNLDDFHOk8/i0wAoqDxBmrA6G4Zb87G8B6FMJZedxGT/0NuL4pmUI6qMzlbQIyPCCaOttMWTkPPhQFkvspN',
  },
  {
    seed: 9,
    size: 3000,
    symbols: 20,
    base64:
      'KLUv/QRInR4AClyICpB2ZVVVRTQyIhCkAKYAowCDBw+eyg23OJXCwMKBF2HgmZkP8Pn5sJTiS9GwUjQctMj+qq2RfdsaGRkZcThC5IfvEPrygHizdUzuZutRXxaxL2LZJ72IA8A3Eb5ICsCrquq/qqqkqqpKhCmiqYamo6OrUyXJXxxTJV399FNn5HtxYR6D4FmaJ5mnJYCPdFoqiChpciqhALsUFEkJiZ1RUCQ2X2AQOYiUKeTKFJU3ub0jPvDgHCaDAhKQgAR0MkhAV5OATmbMW/cs42dVFavKbMp11b4HGGAIXq6+WkTm7p6qKyIjMgIjIoGRyj2EeQjPj7AFiUUQtpjbtryzhUSVC4nl/hjNMT9Gc4zmiNA7D5bkwD9S82bGf2Yz4zMbzWhG+br6+rotUQTatkTxIETxICULRsrZ394Og9qByxAzM43hMub0lST5tZbKQ/ObOzDQJO81yUFK1yQxgwPXBoUhZ3AYBjiDw9QAMziDA3EGZ5BiNhkzkxQzKYYkqWJf5zdzaiyhBKEEYwkllGCc/n36fB8KhSLTYjI1SYXYLPa8q+/ubv6Xf7B/MH4VrgKFD4lkQSR3aNEaGItJd/n71uwXK/d7ff3FYQDoR0QqIiIiVyjToSIj00GYMGG/PYhKjTP1v0/g3fd9t1wGd7xRgi0POWpyXId6Xdf1syjDZNgMM51ynTPEzDwzQ8zMqIEJTNQPJeHOR2Gd7ymfomDqHRBFIty5d3j6HQa1IGtRi/7iQVhmusxcwqDCceLHiaT7OPECTzxOpD+WfvFCwKKja1upCCMSgYehP3o3ymkYvRu9Y5UGGETfWgrDusA/zyM0tHPN1F9+RqjzQK/aR8MwOjOGnZlhZ9j5Rea+t/s9b/fn50kU24MQnmQoixJ1CTsO8ZOnjAA4gLCokRxIFSFEGRMREU2bDoCCsxgk6RAQQ5hjZmN4gLhoJGpaQvobiI9CWotomOS0dARPy1/f//k17rPctrhwSUZIhT7Ql37NrgehlPUmMuK84JPA5YG3FhpFwFSMCo9dKNy3OuBW2yUeYS8AEoeAmDvspiC3dHyQO/cH2PmfnAWgjPWM3G5XVo1lid11IVI25SArtFY4wn1TN8KVESZUNVLlhSIrxdpHk5mweERbV05OcLVaUoIB3QIAG0bAKQiJoHnBfeB+eIQtyKGkd5rdoyB0YDed9Ot4TaTRxgIjgRUNKK9q90C/SwSmzR2zxwcMHmKbq5hwHPQTMoyKz2Q01xSwYxyPvLXb3MEOd3WtZ8qGYPjENd3tmmF+T2IGeL9SDRUzQ7Vqh0T+praABhaj9l0=',
  },
  { seed: 10, size: 400, symbols: 2, base64: 'KLUv/QRoRQAACAABAIwqEAJSUgdC' },
  { seed: 11, size: 150000, symbols: 2, base64: 'KLUv/QRoTAAACAABAPz/ORACg08CAOeYk9U=' },
];

export const EDITED_BASE64 =
  'KLUv/QRojBQABiZgElBWmgcAgB9+ETPaOENRIkmZAlkAXABZAIceyyRVoK/vJktOywswNns+PSbG2P7TKu3Op5xDmrgHSMTaaYlLOdElskTIUXCCK/foXUNaaYLuUdobVcO3OMBQMVEH9YOlRt2yKbwiX9PafjNXzdYsaeEfTDMDTOIolSFBHqWksJlr2JWvz7wBIwggMGQSyjdUsplMDzw8gRHIj78cMhs2VcvJpiTUZh6T6386M8f2zFCoPCJnRTD54XFF9CFqSAlAFUloDppviq416zEYHlONcI/Cv0kOyL46Pf89598e1l+sugT5BJ2XFg/XdkdJAYILY45fz0Z68jDmfxi+MaYp/c3LoKS4fCMG+OfOqh3OLXHZTUWkMeW3uc7R6MOjqsRBiAAq8FSiRQ7zKLPyAhoE58S9MUi/t/1Iqfa1+KzSRFdFG0zEE10OZVvZCeGvR6LyXzt+qr5jwFoqT+Tki4FwimwdxqTZHvxv/8kO9VBvMRo4feKabf1ZZyCFjNun4eBSgLCowSxJpZIZbo3NMArqA6K4OJEDLZdTkNaPfQMKK8/LoGQKxMxO1pYe+DVUPf+4BUYCgkaMEpE23xokkb4SFDje8MZSI3xaEPshMz/9bCde1Lv3+6ClT8iCjw3PIb/m+1Il/c3EHKHYzi1wKH9zn09+HRZAXppp6xzG5Mpvl0I1QxRvedRpX4s6RkJIe6c0M3NzPRsBz3rHJiwel8MNqabNBTdKwD2vgwVvcjVHfn+ZvvpKbVMGjI1Z0C3VKJK9oeGQCa0VHchXKLR7wC4ZICY74h94219BVKkGh/sQ/3EG1BPCoBAFhLAp3LRDRuoGP1x72iNnSGT1pnlVNOpjsWAoHqIhJX3+eiMNzVQFrAsAMgcXChDYHgx5qLE5cQpbc8KjSrgBGvEVLB4hlTr7BjSoE9nqI14LUDobkRmjzFdM5tYEJzwqT7gBGvEVLB4hlTr7BqROZKuPeC1A6WxEZox+hZ1Mr1trws2P359S6x6AsajQuA4QWWp1IggwGAwCBEEI/v8PFDiM/dRb5XiLXno7nvcstBNrOsytPdbb8Xn7wqPeNpe3KDThbXjevvAIb5vnbQpLeaveqtKFRL3l3lSZQhK8TW+qZOFRb7sXVa5gGW/TW5UtWJy3L0yqt2W8XeHpvC3ubQuT7q1y3qqwNG+N8baFSPeWnLcqNI23xb194dJ7e6+qXOFp3lbvKi4wVVB7W+WFlvbWvVWJguR5u16rfMFLhSkA4q3zeZ9CntSoetNCInjjjLcqNMGbcXj7wqPeNpe3KDThbXjevvAIb5sv77mbgp6yRmBmjTsZ10bvojOvCsu4QtmL6Ma7wkxj+m1r3sVUgG/rkBMFJpmayEQm2jyRAYwVAGQNMB0KKRYiDy4bCCcUIA0sGQYlEjEeCyoXBCMQLxwJKBUCIQ4tGgcmEwAfDCsYBSQRMB0KKRYDIg8uGwgnFAEgDSwZBiUSMR4LKgQjEC8cCSgVAiEOLRoHJhMAHwwrGAUkETAdCikWAyIPLhsIJxQBIA0sGQYlEjEeCyoXBCMQLxwJKBUCIQ4tGgcmEwAfDCsYBSQRMB0KKRYDIg8uGwgnFAEgDSwZBiUSMR4qFwQjEC8cCSgVAiEOLRoHJhMfDCsYBSQRMB0KKRYDIg8uGwgnFAEgDSwZBoFhrKH9cX6WlvA2BXK8AdfbFs7xRkxvLSzPG7HesgCugk5460Lx3iDz9gVzeVPGWxbO7029qnKF8b1J71W61960xypZOMnb9FjVC5TxNr2rboFyvF2hHG/CevvC+bwJ730LPc0agenaZ3pD0tsWTvAWXG9bOMcbMb21sDxv1HuVLJDPm3pd5QvneZPeq3TBXN6kZ1UsYM7b9V71C5TxNoVzvAHX2xbO8UZMby0szxux3rJADm/Ce9tCed4I760L5XkjprctkOcNeG9dMI836b3KF8zzZr2v8oVyvEnvVbZQHm/WuyoXIOOteq36Bcx4mwI53oDrbQvneCOmtxaW541Yb1kghzfhvW2hPG+E99aF8rwR09sWwFSwe1T9wp2+Bp54jQtlecveqmyBnN6otypRGNcb9LLK97C3LpDgjfjetkCeN+C9dcE83oT39oXzeTPW2xbO8QZcb1s4xxsxvbWwPG/EessCObxJr1WycJ436WWVL5TjTXqvsoXyeLPeVbkAGW/Va9UvYMbbFMjxBlxvWzjHGzG9tbCcN1UFK2TmrfPepICot8i9c8EnsOazQgt56ho5fU0X+ASMojcrHO9telD1Cjr5NfS4yvfQ2/d+lS+U4E0KqyAJPQcAdAQlEjEeCyoXBCMQLwkoFSEOLRoHJhMAHwwrGAUkETAdCikWAyIPLhsIJxQBIA0sGQYlEjEeCyoXBCMQLxwJKBUCIQ4tGgcmE3b8BU14mwI53oDrbQvneCOmtxaW541Yb1kghzfhvW2hPG+E99aF8rwR09sWyPMGvVbZAjm8Sa9VsnCeN+lllS+U4016V9UC5Xi73lW7ABlvVSiPN+O9ZcE8b8b0loXzvAnbWxYgVLCpty0Qx5vk3rZQnjfKeetC+d6oN96C8wY9VZkeeKueqlQBRG/Va1UvYMbb9KzaBcrxVoUi97xYtpEgCw==';

// Who has which lanes: all of them, once, evenly, and with as few moves as that allows.

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import type { Consumer, PartitionAssigner } from 'kafkajs';
import { assignLanes, type Member } from './assign.ts';
import { AssignerProtocol } from './library.ts';
import { Membership } from './membership.ts';

const { MemberMetadata, MemberAssignment } = AssignerProtocol;

const claims = fc.record({
  owned: fc.array(fc.oneof(fc.integer({ min: -2, max: 40 }), fc.constantFrom(NaN, Infinity, 1.5, 2 ** 40)), {
    maxLength: 30,
  }),
  generation: fc.oneof(fc.nat(5), fc.constantFrom(NaN, Infinity, -1)),
});
const members: fc.Arbitrary<Member[]> = fc
  .uniqueArray(fc.string({ minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 7 })
  .chain((ids) => fc.tuple(...ids.map((id) => claims.map((claim) => ({ id, ...claim })))));
const laneCount = fc.integer({ min: 0, max: 40 });

const sorted = (lanes: readonly number[]): number[] => [...lanes].sort((a, b) => a - b);
const range = (count: number): number[] => Array.from({ length: count }, (_, lane) => lane);

function checkComplete(assignment: ReadonlyMap<string, readonly number[]>, lanes: number): void {
  assert.deepEqual(sorted([...assignment.values()].flat()), range(lanes));
  const sizes = [...assignment.values()].map(({ length }) => length);
  assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1, sizes.join());
}

const movedOf = (before: ReadonlyMap<string, readonly number[]>, now: ReadonlyMap<string, readonly number[]>): number =>
  [...now].reduce((sum, [id, lanes]) => sum + lanes.filter((lane) => !before.get(id)?.includes(lane)).length, 0);

/** What members say of themselves after an assignment. */
const claiming = (assignment: ReadonlyMap<string, readonly number[]>, generation: number): Member[] =>
  [...assignment].map(([id, owned]) => ({ id, owned, generation }));

suite('assigning lanes', () => {
  test('whatever members claim, every lane goes to one of them, and their numbers differ by one at most', () => {
    fc.assert(
      fc.property(members, laneCount, (group, lanes) => {
        const assignment = assignLanes(group, lanes);
        assert.deepEqual([...assignment.keys()].sort(), group.map(({ id }) => id).sort());
        checkComplete(assignment, lanes);
      }),
    );
  });

  test('the order in which members are named changes nothing', () => {
    const shuffled = members.chain((group) =>
      fc.tuple(fc.constant(group), fc.shuffledSubarray(group, { minLength: group.length })),
    );
    fc.assert(
      fc.property(shuffled, laneCount, ([group, other], lanes) => {
        const byId = (assignment: ReadonlyMap<string, readonly number[]>) =>
          [...assignment].sort(([a], [b]) => (a < b ? -1 : 1));
        assert.deepEqual(byId(assignLanes(other, lanes)), byId(assignLanes(group, lanes)));
      }),
    );
  });

  test('nothing moves when nothing changed, and no more than must when members come and go', () => {
    const group = fc.integer({ min: 1, max: 7 }).chain((size) =>
      // Who has each lane: somebody, or nobody, as when its owner has left.
      fc.record({
        size: fc.constant(size),
        owners: fc.array(fc.integer({ min: -1, max: size - 1 }), { maxLength: 40 }),
      }),
    );
    fc.assert(
      fc.property(group, ({ size, owners }) => {
        const lanes = owners.length;
        const claims = range(size).map((i) => ({
          id: `m${i}`,
          owned: range(lanes).filter((lane) => owners[lane] === i),
          generation: 1,
        }));
        const now = assignLanes(claims, lanes);
        checkComplete(now, lanes);
        // Least moves: the lanes of nobody, and what is above the larger share, which those have who had most.
        let larger = lanes % size;
        const kept = [...claims]
          .sort((a, b) => b.owned.length - a.owned.length)
          .map(({ owned }) => Math.min(owned.length, Math.floor(lanes / size) + (larger-- > 0 ? 1 : 0)))
          .reduce((sum, one) => sum + one, 0);
        assert.equal(movedOf(new Map(claims.map(({ id, owned }) => [id, owned])), now), lanes - kept);
        assert.deepEqual(assignLanes(claiming(now, 2), lanes), now);
      }),
    );
  });

  test('of two that claim a lane the later generation has it', () => {
    fc.assert(
      fc.property(fc.nat(3), fc.nat(3), fc.boolean(), (lane, generation, order) => {
        const old = { id: 'a', owned: [lane], generation };
        const late = { id: 'b', owned: [lane], generation: generation + 1 };
        assert.ok(
          assignLanes(order ? [old, late] : [late, old], 4)
            .get('b')
            ?.includes(lane),
        );
      }),
    );
  });
});

/** The assigner that a membership gives to kafkajs. */
function assignerOf(
  lanes: number,
  topics: readonly string[],
  owned: readonly number[] = [],
  strangers: (topics: readonly string[]) => void = () => {},
): ReturnType<PartitionAssigner> {
  let assigner: PartitionAssigner | undefined;
  const consumer = ({ partitionAssigners }: { partitionAssigners: PartitionAssigner[] }): Consumer => {
    assigner = partitionAssigners[0];
    return {} as Consumer;
  };
  new Membership({
    kafka: { consumer } as never,
    group: 'g',
    topics,
    lanes,
    rebalanced: () => {},
    strangers,
    sessionTimeoutMs: 10_000,
    owned: () => owned,
    assigned: () => {},
    crashed: () => {},
  });
  return assigner!({} as never);
}

suite('the assigner in the group protocol', () => {
  const topics = ['flows', 'logs'];
  const hostile = fc.oneof(
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value))),
    fc.record({ owned: fc.jsonValue(), generation: fc.jsonValue() }).map((value) => Buffer.from(JSON.stringify(value))),
    fc.constant(Buffer.alloc(0)),
  );

  test('every partition of every topic goes to one member, lanes whole, whatever others say of themselves', async () => {
    const group = fc.array(fc.option(hostile, { nil: null }), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(group, laneCount, async (userData, lanes) => {
        const assigner = assignerOf(lanes, topics, range(lanes));
        const described = userData.map((data, i) => ({
          memberId: `m${i}`,
          memberMetadata:
            data === null
              ? assigner.protocol({ topics }).metadata
              : MemberMetadata.encode({ version: 1, topics, userData: data }),
        }));
        const answer = await assigner.assign({ members: described, topics });
        assert.deepEqual(
          answer.map(({ memberId }) => memberId),
          described.map(({ memberId }) => memberId),
        );
        const assigned = answer.map(({ memberAssignment }) => MemberAssignment.decode(memberAssignment)!.assignment);
        for (const one of assigned) assert.deepEqual(one.logs, one.flows);
        checkComplete(new Map(assigned.map((one, i) => [String(i), one.flows])), lanes);
      }),
    );
  });

  test('metadata that is no metadata at all does not stop the leader', async () => {
    const assigner = assignerOf(4, topics, [1]);
    const members = [
      { memberId: 'a', memberMetadata: assigner.protocol({ topics }).metadata },
      { memberId: 'b', memberMetadata: Buffer.alloc(0) },
      { memberId: 'c', memberMetadata: Buffer.of(0, 1, 255, 255, 255, 255) },
    ];
    const answer = await assigner.assign({ members, topics });
    const lanes = answer.flatMap(({ memberAssignment }) => MemberAssignment.decode(memberAssignment)!.assignment.flows);
    assert.deepEqual(sorted(lanes), range(4));
  });

  test('one that reads none of our topics is told of, one that reads some is not', async () => {
    const told: (readonly string[])[] = [];
    const assigner = assignerOf(2, topics, [], (strange) => told.push(strange));
    const of = (memberId: string, its: readonly string[]) => ({
      memberId,
      memberMetadata: assignerOf(2, its).protocol({ topics: [...its] }).metadata,
    });
    await assigner.assign({ members: [of('a', topics), of('b', ['logs', 'tunnels'])], topics });
    assert.deepEqual(told, []);
    await assigner.assign({ members: [of('a', topics), of('c', ['staging-flows'])], topics });
    assert.deepEqual(told, [['staging-flows']]);
  });

  test('a member says what it has, and keeps it', async () => {
    const assigner = assignerOf(6, topics, [4, 5]);
    const mine = assigner.protocol({ topics }).metadata;
    const other = assignerOf(6, topics, []).protocol({ topics }).metadata;
    const answer = await assigner.assign({
      members: [
        { memberId: 'z', memberMetadata: other },
        { memberId: 'a', memberMetadata: mine },
      ],
      topics,
    });
    const lanes = MemberAssignment.decode(answer[1].memberAssignment)!.assignment.flows;
    assert.ok(lanes.includes(4) && lanes.includes(5));
  });
});

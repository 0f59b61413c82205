/* The stack trie: equal stacks are one node, equal frames one location. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lprofd/trie.h"

static const struct raw_frame leaf = {1, false, 0x100}, caller = {1, true, 0x200},
                              root = {2, true, 0x300};

static struct stack_trie *new_trie(void)
{
    struct stack_trie *trie = NULL;
    struct stack_locations *locations = NULL;
    assert_int_equal(stack_locations_new(&locations), 0);
    assert_int_equal(stack_trie_new(locations, &trie), 0);
    stack_locations_unref(locations);
    return trie;
}

static void equal_stacks_are_one_node(void **state)
{
    (void)state;
    struct stack_trie *trie = new_trie();
    const struct raw_frame frames[] = {leaf, caller, root};
    uint32_t first = 0, second = 0;
    assert_int_equal(stack_trie_add(trie, frames, 3, &first), 0);
    assert_int_equal(stack_trie_add(trie, frames, 3, &second), 0);
    assert_int_equal(first, second);
    assert_int_equal(stack_trie_node_count(trie), 4); /* the root and three frames */
    assert_int_equal(stack_trie_location_count(trie), 3);
    stack_trie_unref(trie);
}

static void a_node_leads_to_the_root_by_its_parents(void **state)
{
    (void)state;
    struct stack_trie *trie = new_trie();
    const struct raw_frame frames[] = {leaf, caller, root};
    uint32_t node = 0;
    assert_int_equal(stack_trie_add(trie, frames, 3, &node), 0);
    for (size_t i = 0; i < 3; i++) {
        struct trie_node have = stack_trie_node(trie, node);
        assert_int_equal(stack_trie_location(trie, have.location).vaddr, frames[i].vaddr);
        assert_true(have.parent < node);
        node = have.parent;
    }
    assert_int_equal(node, 0);
    stack_trie_unref(trie);
}

static void stacks_share_the_nodes_of_their_common_callers(void **state)
{
    (void)state;
    struct stack_trie *trie = new_trie();
    const struct raw_frame other_leaf = {1, false, 0x108};
    const struct raw_frame one[] = {leaf, caller, root}, two[] = {other_leaf, caller, root};
    uint32_t first = 0, second = 0, middle = 0;
    assert_int_equal(stack_trie_add(trie, one, 3, &first), 0);
    assert_int_equal(stack_trie_add(trie, two, 3, &second), 0);
    assert_int_not_equal(first, second);
    assert_int_equal(stack_trie_node(trie, first).parent, stack_trie_node(trie, second).parent);
    /* A stack that is a part of another one is the node on its way. */
    assert_int_equal(stack_trie_add(trie, one + 1, 2, &middle), 0);
    assert_int_equal(middle, stack_trie_node(trie, first).parent);
    stack_trie_unref(trie);
}

static void a_return_address_is_not_the_leaf_at_the_same_place(void **state)
{
    (void)state;
    struct stack_trie *trie = new_trie();
    const struct raw_frame as_leaf = {1, false, 0x100}, as_caller = {1, true, 0x100};
    uint32_t first = 0, second = 0;
    assert_int_equal(stack_trie_add(trie, &as_leaf, 1, &first), 0);
    assert_int_equal(stack_trie_add(trie, &as_caller, 1, &second), 0);
    assert_int_not_equal(first, second);
    stack_trie_unref(trie);
}

static void the_empty_stack_is_the_root(void **state)
{
    (void)state;
    struct stack_trie *trie = new_trie();
    uint32_t node = 7;
    assert_int_equal(stack_trie_add(trie, NULL, 0, &node), 0);
    assert_int_equal(node, 0);
    stack_trie_unref(trie);
}

static void many_stacks_stay_apart_and_do_not_move(void **state)
{
    (void)state;
    enum { STACKS = 20000 };
    struct stack_trie *trie = new_trie();
    static uint32_t nodes[STACKS];
    for (uint32_t i = 0; i < STACKS; i++) {
        const struct raw_frame frames[] = {{1, false, i}, {1, true, i % 100}};
        assert_int_equal(stack_trie_add(trie, frames, 2, &nodes[i]), 0);
    }
    assert_int_equal(stack_trie_node_count(trie), 1 + 100 + STACKS);
    for (uint32_t i = 0; i < STACKS; i++) {
        struct trie_node node = stack_trie_node(trie, nodes[i]);
        assert_int_equal(stack_trie_location(trie, node.location).vaddr, i);
    }
    stack_trie_unref(trie);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_stacks_are_one_node),
        cmocka_unit_test(a_node_leads_to_the_root_by_its_parents),
        cmocka_unit_test(stacks_share_the_nodes_of_their_common_callers),
        cmocka_unit_test(a_return_address_is_not_the_leaf_at_the_same_place),
        cmocka_unit_test(the_empty_stack_is_the_root),
        cmocka_unit_test(many_stacks_stay_apart_and_do_not_move),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

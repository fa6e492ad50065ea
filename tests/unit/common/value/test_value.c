#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/value/keys.h"
#include "common/value/value.h"

static struct value_keys *keys;
static struct arena *arena;

static void setup(void)
{
    keys = value_keys_new(64);
    arena = arena_new();
}

static void teardown(void)
{
    value_keys_free(keys);
    arena_free(arena);
}

TestSuite(value, .init = setup, .fini = teardown);

static const struct value_key *key(const char *text)
{
    return value_keys_intern(keys, arena, text, strlen(text));
}

Test(value, keys_with_the_same_text_are_one)
{
    char copy[] = "language";

    cr_assert_eq(key("language"), key(copy));
    cr_assert_neq(key("language"), key("languages"));
    cr_assert_not(key("language")->loose);
    cr_assert_str_eq(key("language")->text, "language");
}

Test(value, keys_stay_loose_when_the_table_is_full_and_are_still_the_same)
{
    size_t loose = 0;
    char text[32];

    for (int i = 0; i < 300; i++) {
        (void)snprintf(text, sizeof(text), "key%d", i);
        loose += key(text)->loose;
    }
    cr_assert_geq(loose, 300 - 64);

    for (int i = 0; i < 300; i++) {
        (void)snprintf(text, sizeof(text), "key%d", i);
        cr_assert(value_key_same(key(text), key(text)));
        cr_assert_not(value_key_same(key(text), key("other")));
    }
}

Test(value, a_long_key_is_loose)
{
    char text[100];

    memset(text, 'k', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    cr_assert(key(text)->loose);
    cr_assert(value_key_same(key(text), key(text)));
}

/* {"name": "ada", "levels": [1, 2.5, {"<a loose key>": true}], "gone": null} */
static struct value sample(void)
{
    struct value_member *inner = arena_new_object(arena, struct value_member);
    struct value *items = arena_new_array(arena, struct value, 3);
    struct value_member *members = arena_new_array(arena, struct value_member, 3);
    char long_key[100] = {0};

    memset(long_key, 'k', sizeof(long_key) - 1);
    *inner = (struct value_member){key(long_key), value_of_bool(true)};
    items[0] = value_of_integer(1);
    items[1] = value_of_real(2.5);
    items[2] = value_of_object(inner, 1);
    members[0] = (struct value_member){key("name"), value_of_text("ada")};
    members[1] = (struct value_member){key("levels"), value_of_list(items, 3)};
    members[2] = (struct value_member){key("gone"), value_null};
    return value_of_object(members, 3);
}

Test(value, is_read_by_key_index_and_path)
{
    struct value object = sample();
    struct value_step steps[] = {
        {key("levels"), 0},
        {NULL,          1}
    };

    cr_assert_str_eq(value_get(&object, key("name"))->text, "ada");
    cr_assert_str_eq(value_get_named(&object, "name")->text, "ada");
    cr_assert_eq(value_follow(&object, steps, 2)->real, 2.5);
    cr_assert_eq(value_follow(&object, steps, 0), &object);
}

Test(value, what_is_not_there_is_null)
{
    struct value object = sample();
    struct value_step steps[] = {
        {key("name"),  0},
        {key("first"), 0},
        {NULL,         7}
    };

    cr_assert_eq(value_get(&object, key("absent")), &value_null);
    cr_assert_eq(value_get_named(&object, "absent"), &value_null);
    cr_assert_eq(value_at(value_get(&object, key("levels")), 3), &value_null);
    cr_assert_eq(value_at(&object, 0), &value_null);
    cr_assert_eq(value_follow(&object, steps, 3), &value_null);
}

Test(value, a_copy_outlives_its_arena)
{
    struct value object = sample();
    uint64_t hash = value_hash(&object, 1);
    CLEANUP(value_free_at_exit) struct value *copy = value_copy(&object);

    cr_assert(value_equal(copy, &object));
    arena_reset(arena);
    cr_assert_str_eq(value_get_named(copy, "name")->text, "ada");
    cr_assert_eq(value_hash(copy, 1), hash);
    cr_assert_null(value_copy(NULL));
}

Test(value, a_copy_in_an_arena_is_equal)
{
    struct value object = sample();

    cr_assert(value_equal(value_copy_to_arena(arena, &object), &object));
}

Test(value, equality_is_by_content_whatever_the_order_of_members)
{
    struct value object = sample();
    struct value_member turned[3] = {object.members[2], object.members[1], object.members[0]};
    struct value other = value_of_object(turned, 3);

    cr_assert(value_equal(&object, &other));
    cr_assert_eq(value_hash(&object, 5), value_hash(&other, 5));
    turned[2].value = value_of_text("bob");
    cr_assert_not(value_equal(&object, &other));
    cr_assert_neq(value_hash(&object, 5), value_hash(&other, 5));
    turned[2].value = object.members[0].value;
    turned[0].key = key("other");
    cr_assert_not(value_equal(&object, &other));
}

Test(value, an_integer_equals_the_same_real_and_nothing_else)
{
    struct value one = value_of_integer(1);
    struct value real = value_of_real(1.0);
    struct value text = value_of_text("1");
    struct value yes = value_of_bool(true);

    cr_assert(value_equal(&one, &real));
    cr_assert_eq(value_hash(&one, 9), value_hash(&real, 9));
    cr_assert_not(value_equal(&one, &text));
    cr_assert_not(value_equal(&one, &yes));
    cr_assert(value_equal(&value_null, &value_null));
    cr_assert_not(value_equal(&value_null, &one));
}

/* The attributes of our perf events. */
#include "capture/perf_attributes.h"

#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "capture/perf_record.h"

#define RING_BYTES_MIN ((size_t)512 << 10)
#define RING_BYTES_MAX ((size_t)16 << 20)
/* What a sample takes beside its stack, at most but for the deepest kernel call chains. */
#define SAMPLE_BYTES 1024
/* The smallest ring: it is drained soon after the first of these has arrived. */
#define RING_SAMPLES_MIN 3
/* Less shows hardly any callers. */
#define STACK_BYTES_MIN 1024

const struct perf_event_choice perf_event_choices[] = {
    {"cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES, 2},
    {"cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES, 1},
    {"cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES, 0},
    {"cpu-clock", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK, 0},
    {"task-clock", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK, 0},
};

const size_t perf_event_choice_count = array_length(perf_event_choices);

/* All events write the same record layout into one ring, so that one decoder serves them. */
static struct perf_event_attr common_attributes(const struct perf_recipe *recipe)
{
    return (struct perf_event_attr){
        .size = sizeof(struct perf_event_attr),
        .sample_type = PERF_RECORD_SAMPLE_TYPE,
        .sample_regs_user = architecture_own.perf_mask,
        .sample_stack_user = recipe->stack_bytes,
        .sample_id_all = 1,
        .use_clockid = 1,
        .clockid = CLOCK_MONOTONIC,
        .exclude_kernel = recipe->user_only,
        .exclude_hv = recipe->user_only,
        .exclude_callchain_kernel = recipe->user_only,
        .exclude_callchain_user = 1,
        .inherit = recipe->inherit,
        .inherit_thread = recipe->inherit && !recipe->follow,
        .watermark = 1,
        .wakeup_watermark = (uint32_t)(recipe->ring_bytes / 4),
    };
}

static void add_side_band(struct perf_event_attr *attributes)
{
    attributes->mmap = 1;
    attributes->mmap2 = 1;
    attributes->comm = 1;
    attributes->comm_exec = 1;
    attributes->task = 1;
}

struct perf_event_attr perf_sampling_attributes(const struct perf_recipe *recipe, bool side_band)
{
    struct perf_event_attr attributes = common_attributes(recipe);
    attributes.type = recipe->choice->type;
    attributes.config = recipe->choice->config;
    attributes.precise_ip = recipe->choice->precise_ip;
    attributes.freq = 1;
    attributes.sample_freq = recipe->frequency_hz;
    attributes.disabled = 1;
    if (side_band)
        add_side_band(&attributes);
    return attributes;
}

struct perf_event_attr perf_side_band_attributes(const struct perf_recipe *recipe)
{
    struct perf_event_attr attributes = perf_holder_attributes(recipe);
    add_side_band(&attributes);
    return attributes;
}

struct perf_event_attr perf_holder_attributes(const struct perf_recipe *recipe)
{
    struct perf_event_attr attributes = common_attributes(recipe);
    attributes.type = PERF_TYPE_SOFTWARE;
    attributes.config = PERF_COUNT_SW_DUMMY;
    attributes.inherit = attributes.inherit_thread = 0;
    return attributes;
}

static uint64_t wanted_bytes(const struct capture_options *options)
{
    return (uint64_t)options->frequency_hz * (options->stack_bytes + SAMPLE_BYTES) / 10;
}

size_t perf_ring_bytes_for(const struct capture_options *options)
{
    uint64_t wanted = wanted_bytes(options);
    size_t bytes = RING_BYTES_MIN;
    while (bytes < wanted && bytes < RING_BYTES_MAX)
        bytes *= 2;
    return bytes;
}

bool perf_ring_suffices(const struct capture_options *options)
{
    return wanted_bytes(options) <= RING_BYTES_MAX;
}

bool perf_recipe_halve_rings(struct perf_recipe *recipe)
{
    size_t bytes = recipe->ring_bytes / 2;
    if (bytes < RING_SAMPLES_MIN * ((size_t)recipe->stack_bytes + SAMPLE_BYTES) ||
        bytes < (size_t)sysconf(_SC_PAGESIZE))
        return false;
    recipe->ring_bytes = bytes;
    return true;
}

bool perf_recipe_halve_stacks(struct perf_recipe *recipe)
{
    uint32_t bytes = recipe->stack_bytes / 2 / 8 * 8;
    if (bytes < STACK_BYTES_MIN)
        return false;
    recipe->stack_bytes = bytes;
    while (perf_recipe_halve_rings(recipe))
        ;
    return true;
}

/* Counts while a query works, and the numbers of a row that they become. */
#include "query/cost.h"

#include "query/wilson.h"

double query_share(struct query_count count, struct query_total all)
{
    if (all.time_ns)
        return (double)count.time_ns / (double)all.time_ns;
    return all.hits ? (double)count.hits / (double)all.hits : 0;
}

uint64_t query_samples_behind(uint64_t hits, double share, uint64_t all_hits)
{
    double behind = share > 0 ? (double)hits / share + 0.5 : (double)all_hits;
    return behind < (double)all_hits ? (uint64_t)behind : all_hits;
}

struct query_cost query_cost_make(struct query_count self, struct query_count total,
                                  struct query_total all, enum query_sort sort)
{
    double self_share = query_share(self, all), total_share = query_share(total, all);
    struct query_cost cost = {
        .self_hits = self.hits,
        .total_hits = total.hits,
        .self_time_ns = self.time_ns,
        .total_time_ns = total.time_ns,
        .self_percent = self_share * 100,
        .total_percent = total_share * 100,
    };
    double share = sort == QUERY_SORT_SELF ? self_share : total_share, low, high;
    uint64_t hits = sort == QUERY_SORT_SELF ? self.hits : total.hits;
    wilson_interval(share, query_samples_behind(hits, share, all.hits), &low, &high);
    cost.percent_low = low * 100;
    cost.percent_high = high * 100;
    return cost;
}

static int compare_descending(uint64_t left, uint64_t right)
{
    return (left < right) - (left > right);
}

static int compare_self(const struct query_cost *left, const struct query_cost *right)
{
    int order = compare_descending(left->self_time_ns, right->self_time_ns);
    return order ? order : compare_descending(left->self_hits, right->self_hits);
}

static int compare_total(const struct query_cost *left, const struct query_cost *right)
{
    int order = compare_descending(left->total_time_ns, right->total_time_ns);
    return order ? order : compare_descending(left->total_hits, right->total_hits);
}

int query_cost_compare(const struct query_cost *left, const struct query_cost *right,
                       enum query_sort sort)
{
    int by_self = compare_self(left, right), by_total = compare_total(left, right);
    if (sort == QUERY_SORT_SELF)
        return by_self ? by_self : by_total;
    return by_total ? by_total : by_self;
}

/* Threads that make answers. */
#include "http/workers.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

struct workers {
    job_fn *run;
    pthread_mutex_t lock; /* guards what follows, but for the threads */
    pthread_cond_t wake;
    struct job *first, **end; /* of those that wait */
    bool stopping;
    unsigned thread_count;
    pthread_t threads[];
};

/* The one that has waited longest; NULL when there will be none any more. */
static struct job *take(struct workers *workers)
{
    pthread_mutex_lock(&workers->lock);
    while (!workers->first && !workers->stopping)
        pthread_cond_wait(&workers->wake, &workers->lock);
    struct job *job = workers->first;
    if (job)
        workers->first = job->next;
    if (!workers->first)
        workers->end = &workers->first;
    pthread_mutex_unlock(&workers->lock);
    return job;
}

static void *work(void *user)
{
    struct workers *workers = user;
    struct job *job;
    while ((job = take(workers)))
        workers->run(job);
    return NULL;
}

int workers_new(unsigned thread_count, job_fn *run, struct workers **ret_workers)
{
    struct workers *workers = calloc(1, sizeof *workers + thread_count * sizeof(pthread_t));
    if (!workers)
        return -ENOMEM;
    workers->run = run;
    workers->end = &workers->first;
    pthread_mutex_init(&workers->lock, NULL);
    pthread_cond_init(&workers->wake, NULL);
    while (workers->thread_count < thread_count) {
        int error = pthread_create(&workers->threads[workers->thread_count], NULL, work, workers);
        if (error) {
            workers_free(workers);
            return -error;
        }
        workers->thread_count++;
    }
    *ret_workers = workers;
    return 0;
}

bool workers_add(struct workers *workers, struct job *job)
{
    pthread_mutex_lock(&workers->lock);
    bool added = !workers->stopping;
    if (added) {
        job->next = NULL;
        *workers->end = job;
        workers->end = &job->next;
        pthread_cond_signal(&workers->wake);
    }
    pthread_mutex_unlock(&workers->lock);
    return added;
}

void workers_stop(struct workers *workers)
{
    if (!workers)
        return;
    pthread_mutex_lock(&workers->lock);
    workers->stopping = true;
    pthread_cond_broadcast(&workers->wake);
    pthread_mutex_unlock(&workers->lock);
    for (unsigned i = 0; i < workers->thread_count; i++)
        pthread_join(workers->threads[i], NULL);
    workers->thread_count = 0;
}

void workers_free(struct workers *workers)
{
    if (!workers)
        return;
    workers_stop(workers);
    pthread_cond_destroy(&workers->wake);
    pthread_mutex_destroy(&workers->lock);
    free(workers);
}

# The numbers and the data of test_experiences.py, test_origins.py and test_screening.py.
#   Rscript tests/churn/reference/experiences.R
library(survival)  # 3.5-3

# Stanford heart transplant programme (Crowley and Hu 1977), as in survival::jasa
write.csv(with(jasa, data.frame(
  customer_id = seq_len(nrow(jasa)), started_at = accept.dt, duration_days = futime,
  churned = fustat, age = age - 48, surgery, transplant, wait_days = wait.time
)), "tests/churn/reference/jasa.csv", row.names = FALSE, quote = FALSE, na = "")

show <- function(fit) {
  cat(deparse(fit$call), sep = "\n")
  print(cbind(estimate = coef(fit), se = sqrt(diag(vcov(fit)))), digits = 9)
  print(exp(coef(fit)), digits = 9)
}
data <- transform(jasa, id = seq_len(nrow(jasa)), age = age - 48)[, -(1:4)]
# 1. ever transplanted, as if known on the first day
show(coxph(Surv(pmax(0.5, futime), fustat) ~ age + surgery + transplant, data))
# 2. as R's authors lay it out: who was transplanted on the day of death died transplanted
half <- transform(data, futime = pmax(0.5, futime))
half$wait.time <- with(half, ifelse(!is.na(wait.time) & wait.time == futime, wait.time - 0.5, wait.time))
rows <- tmerge(half, half, id = id, death = event(futime, fustat), tx = tdc(wait.time))
show(coxph(Surv(tstart, tstop, death) ~ age + surgery + tx, rows))
show(coxph(Surv(start, stop, event) ~ age + surgery + transplant, heart))  # the same
# 3. in whole days, day 0 included; a change on the last day explains nothing
rows <- tmerge(data, data, id = id, tstart = -1, tstop = futime,
               death = event(futime, fustat), tx = tdc(wait.time))
print(nrow(rows))
show(coxph(Surv(tstart, tstop, death) ~ age + surgery + tx, rows))

# Eight lives: a state (tdc) and contacts so far (cumtdc), first day of observation `entry`
lives <- data.frame(
  id = 1:8, entry = c(-1, -1, -1, -1, 10, 10, -1, -1), stop = c(10, 10, 30, 5, 40, 40, 0, 7),
  left = c(1, 0, 1, 1, 0, 1, 1, 1)
)
states <- data.frame(
  id = c(1, 1, 2, 3, 3, 5, 5, 6, 7, 8), day = c(-3, 4, 10, 0, 29, 6, 10, 11, 0, 6),
  plan = c("a", "b", "b", "a", "b", "a", "b", "a", "b", "a")
)
calls <- data.frame(id = c(1, 1, 3, 3, 3, 5, 5, 6, 8, 8), day = c(4, 10, 2, 0, 29, 3, 20, 10, 2, 2))
calls <- aggregate(n ~ id + day, transform(calls, n = 1), sum)
rows <- tmerge(lives[, "id", drop = FALSE], lives, id = id, tstart = entry, tstop = stop,
               left = event(stop, left))
rows <- tmerge(rows, states, id = id, plan = tdc(day, plan))
rows <- tmerge(rows, calls, id = id, calls = cumtdc(day, n))
write.csv(rows[, c("id", "tstart", "tstop", "left", "plan", "calls")], row.names = FALSE, quote = FALSE)

# Landmark on day 30: transplanted by then or not, among those alive and followed after it
alive <- subset(data, futime > 30)
alive$by30 <- as.numeric(!is.na(alive$wait.time) & alive$wait.time <= 30)
show(coxph(Surv(futime - 30, fustat) ~ by30, alive))

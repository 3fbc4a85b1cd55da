# Adjusted curves and mean stays by the g-formula, for tests/churn/adjusted/test_adjusted.py.
# R 4, survival 3.5. Run: Rscript tests/churn/reference/adjusted.R
library(survival)
d <- lung[!is.na(lung$ph.ecog), c("time", "status", "age", "sex", "ph.ecog")]
d$entry <- ifelse(seq_len(nrow(d)) %% 2 == 0, floor(d$time / 3), 0)  # every second one enters late

g_formula <- function(d, y, times, tau) {
  fit <- coxph(y ~ age + ph.ecog + strata(sex), d, ties = "efron")
  for (g in 1:2) {
    joined <- d[d$entry == 0, ]  # those who entered late had to stay until then
    curves <- survfit(fit, newdata = transform(joined, sex = g), se.fit = FALSE)
    steps <- sort(unique(c(0, d$time[d$status == 2 & d$sex == g & d$time < tau])))
    area <- sum(sapply(steps, function(t) mean(summary(curves, times = t, extend = TRUE)$surv)) *
                diff(c(steps, tau)))
    shares <- sapply(times, function(t) mean(summary(curves, times = t, extend = TRUE)$surv))
    cat(sex = g, format(shares, digits = 10), "rmst", format(area, digits = 10), "\n")
  }
}
g_formula(transform(d, entry = 0), Surv(d$time, d$status == 2), c(100, 300), 365)
g_formula(d, Surv(d$entry, d$time, d$status == 2), c(100, 300), 365)

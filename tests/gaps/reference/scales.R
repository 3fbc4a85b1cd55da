# Reference numbers of tests/gaps/scales (R 4.2, lavaan 0.6-14, psych 2.2.9, semTools 0.5-6).
# Run in this folder: Rscript scales.R
# holzinger_swineford.csv is lavaan's `HolzingerSwineford1939` (school, x1 to x9), from
# K. J. Holzinger, F. Swineford (1939). A study in factor analysis. Published measurements of 301
# pupils, free to use.
suppressMessages({library(lavaan); library(psych); library(semTools)})
options(digits = 9)
hs <- read.csv("holzinger_swineford.csv")
three <- "visual =~ x1 + x2 + x3\n textual =~ x4 + x5 + x6\n speed =~ x7 + x8 + x9"
what <- c("chisq", "df", "cfi", "tli", "rmsea", "rmsea.ci.lower", "rmsea.ci.upper",
          "srmr_bentler_nomean")  # rmsea's interval: level .90

fit <- cfa(three, hs, std.lv = TRUE, meanstructure = TRUE)
print(fitMeasures(fit, what), nd = 7)
print(as.data.frame(parameterEstimates(fit))[1:9, c("rhs", "est", "se")])
print(as.data.frame(standardizedSolution(fit))[c(1:9, 22:24), c("lhs", "rhs", "est.std", "se")])
print(suppressWarnings(reliability(fit))["omega", ])  # of the model of three factors

# omega-u of one factor; standard error that needs no normal answers (MLM)
omega <- function(items) {
  l <- paste0("l", seq_along(items)); e <- paste0("e", seq_along(items))
  model <- paste0("f =~ ", paste0(l, "*", items, collapse = " + "), "\n",
    paste0(items, " ~~ ", e, "*", items, collapse = "\n"),
    "\nomega := (", paste(l, collapse = "+"), ")^2 / ((", paste(l, collapse = "+"), ")^2 + ",
    paste(e, collapse = "+"), ")")
  p <- as.data.frame(parameterEstimates(cfa(model, hs, std.lv = TRUE, estimator = "MLM")))
  p[p$op == ":=", c("est", "se")]
}
for (own in list(paste0("x", 1:3), paste0("x", 4:6), paste0("x", 7:9), paste0("x", 1:9)))
  print(omega(own))

for (equal in list("", "loadings", c("loadings", "intercepts"))) {
  both <- cfa(three, hs, group = "school", group.equal = equal, std.lv = TRUE)
  print(fitMeasures(both, what), nd = 7)
}
print(lavTestScore(both)$uni)
free <- function(...) cfa(three, hs, group = "school", group.equal = equal, std.lv = TRUE,
                          group.partial = c("x3 ~ 1", "x7 ~ 1"), ...)
print(fitMeasures(free(), what), nd = 7)
# by default the search ends 1e-5 from the optimum; further on it warns, but arrives
p <- as.data.frame(parameterEstimates(suppressWarnings(free(control = list(rel.tol = 1e-11)))))
print(p[p$op == "~1" & p$lhs %in% c("visual", "textual", "speed") & p$group == 2, c("lhs", "est", "se")])

a <- alpha(hs[, c("x1", "x2", "x3")])
print(a$total$raw_alpha); print(a$item.stats[, "r.drop", drop = FALSE]); print(a$alpha.drop[, 1, drop = FALSE])
print(alpha(attitude)$total$raw_alpha)

set.seed(1); x <- as.matrix(hs[, paste0("x", 1:9)])
share <- function(x) eigen(cor(x))$values[1] / 9
print(c(share(x), sd(replicate(4000, share(x[sample(301, replace = TRUE), ])))))
